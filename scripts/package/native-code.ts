import type { Platform } from "./platform.ts";

/** The ELF format's numbers of processors: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const MACHINES: Record<string, number> = { x64: 62, arm64: 183 };
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const MACHINE_OFFSET = 18;

/**
 * Refuses native code that Lambda could not load: a package for another processor is installed as quietly
 * as the right one, and fails with the first invocation.
 */
export function mustRunOn({ os, cpu }: Platform, files: ReadonlyMap<string, Uint8Array>): void {
  if (os !== "linux") return;
  for (const [path, bytes] of files) {
    if (!path.endsWith(".node")) continue;
    const head = Buffer.from(bytes.subarray(0, MACHINE_OFFSET + 2));
    const is_elf = head.length === MACHINE_OFFSET + 2 && head.subarray(0, ELF.length).equals(ELF);
    if (!is_elf || head.readUInt16LE(MACHINE_OFFSET) !== MACHINES[cpu]) {
      throw new Error(`${path} is no native code for ${os} on ${cpu}`);
    }
  }
}
