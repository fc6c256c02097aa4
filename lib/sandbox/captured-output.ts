export interface CapturedOutput {
  accept(stream: "stdout" | "stderr", chunk: Buffer): void;
  /** Bytes that arrived, also those beyond the limit. */
  bytes(): number;
  /** What was kept of one stream, or of both in the order of arrival. */
  kept(stream: "stdout" | "stderr" | "both"): Buffer;
}

/** Keeps the first `bytes_max` bytes of both streams together; calls `exceeded` once when more come. */
export function captureOutput(bytes_max: number, exceeded: (bytes: number) => void): CapturedOutput {
  const chunks: { stream: "stdout" | "stderr"; bytes: Buffer }[] = [];
  let bytes = 0;
  return {
    accept(stream, chunk) {
      const room = Math.max(0, bytes_max - bytes);
      if (room > 0) chunks.push({ stream, bytes: chunk.subarray(0, room) });
      const was_within = bytes <= bytes_max;
      bytes += chunk.length;
      if (was_within && bytes > bytes_max) exceeded(bytes);
    },
    bytes: () => bytes,
    kept: (stream) =>
      Buffer.concat(
        chunks.filter((chunk) => stream === "both" || chunk.stream === stream).map((chunk) => chunk.bytes),
      ),
  };
}
