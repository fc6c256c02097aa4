import { lstatSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { DiskAccounts } from "#lib/sandbox/limits/disk-accounts.ts";
import type { ProcessSample } from "#lib/sandbox/process/process-table.ts";
import type { ProcessTree } from "#lib/sandbox/process/process-tree.ts";
import type { Launch } from "#lib/sandbox/process/sandbox-backend.ts";
import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

const SAMPLE_MS = 20;
const PAUSE_MS_MAX = 100;
const SURVEY_MS = 250;
/** Every tenth sample looks for the marker, which costs a read for each process of the machine. */
const THOROUGH_SAMPLES = 10;

/** Calls `exceed` when the wall time is over. Returns a function that stops the clock. */
export function watchClock(profile: SandboxProfile, exceed: (hit: LimitHit) => void): () => void {
  const started_ms = performance.now();
  const timer = setTimeout(() => {
    const observed = (performance.now() - started_ms) / 1000;
    exceed({
      code: "SANDBOX_WALL_TIME",
      limit: profile.wall_seconds,
      observed,
      evidence: `still running after ${observed.toFixed(2)} s on the worker's monotonic clock`,
    });
  }, profile.wall_seconds * 1000);
  return () => clearTimeout(timer);
}

/**
 * Reads the volume's own count every 20 ms, and measures every file as often as a twentieth of one core allows; tells
 * `exceed` what each found, null for no limit exceeded.
 * Returns a function that stops the watch and waits for the measurement in progress.
 */
export function watchDisk(disk: DiskAccounts, exceed: (hit: LimitHit | null) => void): () => Promise<void> {
  let stopped = false;
  let walk: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const counting = setInterval(() => exceed(disk.count()), SAMPLE_MS);
  const survey = async () => {
    const started_ms = performance.now();
    exceed(await disk.survey());
    const pause_ms = Math.max(SURVEY_MS, (performance.now() - started_ms) * 20);
    if (!stopped) timer = setTimeout(start, pause_ms);
  };
  const start = () => {
    walk = survey();
  };
  timer = setTimeout(start, SURVEY_MS);
  return async () => {
    stopped = true;
    clearInterval(counting);
    clearTimeout(timer);
    await walk;
  };
}

/**
 * Samples the process tree every 20 ms, or less often (at least every 100 ms) when that costs more than a fifth of one
 * core. Returns a function that stops it.
 */
export function watchAccounts(
  tree: ProcessTree,
  judge: (members: readonly ProcessSample[]) => LimitHit | null,
  exceed: (hit: LimitHit) => void,
): () => void {
  let samples = 0;
  let timer: NodeJS.Timeout | undefined;
  const sample = () => {
    const started_ms = performance.now();
    const hit = judge(tree.sample(++samples % THOROUGH_SAMPLES === 0));
    if (hit) exceed(hit);
    const cost_ms = performance.now() - started_ms;
    timer = setTimeout(sample, Math.min(PAUSE_MS_MAX, Math.max(SAMPLE_MS, cost_ms * 4)));
  };
  sample();
  return () => clearTimeout(timer);
}

/** The evidence that more than `output_bytes_max` was printed. */
export function outputHit(profile: SandboxProfile, bytes: number): LimitHit {
  return {
    code: "SANDBOX_OUTPUT",
    limit: profile.output_bytes_max,
    observed: bytes,
    evidence: `${bytes} bytes counted on the pipes of stdout and stderr`,
  };
}

interface CapturedOutput {
  accept(stream: "stdout" | "stderr", chunk: Buffer): void;
  /** Number of bytes that arrived, including those beyond the limit. */
  bytes(): number;
  /** The bytes kept of one stream, or of both in the order of arrival. */
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

interface Decoys {
  /** Evidence that a hidden path was read, or null. */
  touched(): LimitHit | null;
}

/** Watches the access times of decoys. A decoy is an empty file or directory that covers a hidden path, on a file system
 * that records every access (`strictatime`). */
export function watchDecoys(decoys: Launch["decoys"]): Decoys {
  const before = decoys.map(({ path }) => accessTime(path));
  return {
    touched() {
      const found = decoys.find(({ path }, index) => accessTime(path) !== before[index]);
      if (!found) return null;
      return {
        code: "SANDBOX_PATH_DENIED",
        limit: 0,
        observed: 1,
        evidence: `${found.hides} is hidden, and the access time of the decoy in its place has changed`,
      };
    },
  };
}

function accessTime(path: string): bigint | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.atimeNs ?? null;
}
