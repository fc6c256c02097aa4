import { javascript, type SandboxCase } from "../sandbox-case.ts";

const MIB = 1024 * 1024;

/** Exactly as much as is allowed passes. */
export const AT_THE_LIMIT: SandboxCase[] = [
  {
    name: "output to the byte",
    isolation: "any",
    limits: { output_bytes_max: 10_000 },
    command: "head -c 6000 /dev/zero; head -c 4000 /dev/zero >&2",
    code: "PASSED",
  },
  {
    name: "processes, counted",
    isolation: "any",
    limits: { processes_max: 8 },
    command: "for i in 1 2 3 4 5 6 7; do sleep 1 & done; wait",
    code: "PASSED",
  },
  {
    name: "a file to the byte",
    isolation: "any",
    limits: { file_bytes_max: MIB },
    command: `head -c ${MIB} /dev/zero > file; sleep 0.3`,
    code: "PASSED",
  },
  {
    name: "a file one byte longer",
    isolation: "any",
    limits: { file_bytes_max: MIB },
    command: `head -c ${MIB + 1} /dev/zero > file`,
    code: "SANDBOX_FILE_SIZE",
  },
  {
    name: "the disk to the block",
    isolation: "full",
    limits: { disk_bytes_max: 4 * MIB },
    command: `for i in 1 2 3 4; do head -c ${MIB} /dev/zero > f$i; done; sleep 0.3`,
    code: "PASSED",
  },
  {
    name: "the disk one byte further",
    isolation: "full",
    limits: { disk_bytes_max: 4 * MIB },
    command: `for i in 1 2 3 4; do head -c ${MIB} /dev/zero > f$i; done; echo > one-more`,
    code: "SANDBOX_DISK",
  },
  {
    name: "inodes, counted",
    isolation: "any",
    limits: { inodes_max: 200 },
    command: "seq 200 | xargs touch; sleep 0.3",
    code: "PASSED",
  },
  {
    name: "one inode more",
    isolation: "any",
    limits: { inodes_max: 200 },
    command: "seq 201 | xargs touch",
    code: "SANDBOX_INODES",
  },
  {
    name: "open files, counted",
    isolation: "any",
    limits: { open_files_max: 64 },
    command: javascript(
      "const f=require('fs');for(let n=f.readdirSync('/proc/self/fd').length-1;n<64;n++)f.openSync('/dev/null');setTimeout(()=>{},300)",
    ),
    code: "PASSED",
    check: ({ usage }) => {
      if (usage.open_files_peak !== 64) throw new Error(`${usage.open_files_peak} open files were counted`);
    },
  },
  {
    name: "open files, as many in each of several",
    isolation: "any",
    limits: { open_files_max: 64 },
    command: `for i in 1 2 3; do ${javascript("const f=require('fs');for(let i=0;i<30;i++)f.openSync('/dev/null');setTimeout(()=>{},300)")} & done; wait`,
    code: "PASSED",
  },
  {
    name: "CPU time a little below",
    isolation: "any",
    limits: { cpu_seconds: 2 },
    command: javascript("const e=process.cpuUsage;while(e().user+e().system<1000000);"),
    code: "PASSED",
  },
  {
    name: "memory a little below",
    isolation: "any",
    limits: { memory_bytes_max: 250 * MIB },
    command: javascript("const b=Buffer.alloc(120*1048576,1);setTimeout(()=>b.length,500)"),
    code: "PASSED",
  },
  {
    name: "wall time a little below",
    isolation: "any",
    limits: { wall_seconds: 20 },
    command: "sleep 1",
    code: "PASSED",
  },
];
