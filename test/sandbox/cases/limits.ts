import { javascript, type SandboxCase } from "../sandbox-case.ts";

const MIB = 1024 * 1024;

const burn = javascript("for(;;);");
const hold = (mib: number) =>
  javascript(`const b=Buffer.alloc(${mib}*1048576,1);setTimeout(()=>b.length,9000)`);
const openFiles = (count: number) =>
  javascript(
    `const f=require('fs');for(let i=0;i<${count};i++)f.openSync('/dev/null');setTimeout(()=>{},500)`,
  );
const disk = { file_bytes_max: 4 * MIB, disk_bytes_max: 8 * MIB };

const CASES: (Omit<SandboxCase, "isolation"> & Partial<SandboxCase>)[] = [
  { name: "CPU time of one process", limits: { cpu_seconds: 0.5 }, command: burn, code: "SANDBOX_CPU_TIME" },
  {
    name: "CPU time of several",
    limits: { cpu_seconds: 1 },
    command: `${burn} & ${burn} & ${burn} & wait`,
    code: "SANDBOX_CPU_TIME",
  },
  {
    name: "CPU time of threads",
    limits: { cpu_seconds: 1 },
    command: javascript("for(let i=0;i<3;i++)new(require('worker_threads').Worker)('for(;;);',{eval:true})"),
    code: "SANDBOX_CPU_TIME",
  },
  {
    name: "CPU time of many that live shortly",
    limits: { cpu_seconds: 0.7 },
    command: "while :; do /bin/true; done",
    code: "SANDBOX_CPU_TIME",
  },
  {
    name: "wall time, asleep",
    limits: { wall_seconds: 0.5 },
    command: "sleep 60",
    code: "SANDBOX_WALL_TIME",
  },
  {
    name: "wall time, deaf to signals",
    limits: { wall_seconds: 0.5 },
    command: "trap '' TERM INT HUP XCPU; (trap '' TERM; sleep 60) & sleep 60; sleep 60",
    code: "SANDBOX_WALL_TIME",
  },
  {
    name: "wall time, stopped by itself",
    limits: { wall_seconds: 1 },
    command: "sleep 50 & kill -STOP $$",
    code: "SANDBOX_WALL_TIME",
  },
  {
    name: "memory of one",
    limits: { memory_bytes_max: 200 * MIB },
    command: hold(220),
    code: "SANDBOX_MEMORY",
  },
  {
    name: "memory of several",
    limits: { memory_bytes_max: 250 * MIB },
    command: `${hold(130)} & ${hold(130)} & wait`,
    code: "SANDBOX_MEMORY",
  },
  {
    name: "memory of threads",
    limits: { memory_bytes_max: 200 * MIB },
    command: javascript(
      "for(let i=0;i<2;i++)new(require('worker_threads').Worker)('globalThis.b=Buffer.alloc(1e8,1);setTimeout(()=>b.length,9000)',{eval:true})",
    ),
    code: "SANDBOX_MEMORY",
  },
  {
    name: "processes",
    limits: { processes_max: 8 },
    command: "for i in 1 2 3 4 5 6 7 8; do sleep 50 & done; wait",
    code: "SANDBOX_PROCESSES",
  },
  {
    name: "processes, forking without end",
    limits: { processes_max: 30 },
    files: { "bomb.sh": "sh ./bomb.sh & sh ./bomb.sh & sleep 30; wait\n" },
    command: "sh ./bomb.sh",
    code: "SANDBOX_PROCESSES",
  },
  {
    name: "processes, as threads",
    limits: { processes_max: 20 },
    command: javascript(
      "for(let i=0;i<20;i++)new(require('worker_threads').Worker)('setTimeout(()=>{},9000)',{eval:true})",
    ),
    code: "SANDBOX_PROCESSES",
  },
  { name: "open files", limits: { open_files_max: 64 }, command: openFiles(100), code: "SANDBOX_OPEN_FILES" },
  {
    name: "open files, without end",
    limits: { open_files_max: 64 },
    command: javascript("const f=require('fs');for(;;)try{f.openSync('/dev/null')}catch{}"),
    code: "SANDBOX_OPEN_FILES",
  },
  {
    name: "open files in one of many",
    limits: { open_files_max: 64 },
    command: `${openFiles(10)} & ${openFiles(90)} & wait`,
    code: "SANDBOX_OPEN_FILES",
  },
  {
    name: "file size, in one go",
    limits: disk,
    command: "head -c 5000000 /dev/zero > big",
    code: "SANDBOX_FILE_SIZE",
  },
  {
    name: "file size, with holes",
    limits: disk,
    command: javascript("const f=require('fs');f.writeSync(f.openSync('big','w'),'x',4194304)"),
    code: "SANDBOX_FILE_SIZE",
  },
  {
    name: "file size, a bit at a time, in /tmp",
    limits: disk,
    command: "for i in 1 2 3 4 5; do head -c 1000000 /dev/zero >> $TMPDIR/big; done",
    code: "SANDBOX_FILE_SIZE",
  },
  {
    name: "file size, by many at once",
    limits: { ...disk, disk_bytes_max: 64 * MIB },
    command: "for i in 1 2 3 4; do head -c 4500000 /dev/zero > big$i & done; wait",
    code: "SANDBOX_FILE_SIZE",
  },
  {
    name: "disk, by several files",
    limits: disk,
    command: "for i in 1 2 3 4 5; do head -c 3000000 /dev/zero > f$i; done",
    code: "SANDBOX_DISK",
  },
  {
    name: "disk, by several processes, in every place",
    limits: disk,
    command:
      "head -c 3000000 /dev/zero > a & head -c 3000000 /dev/zero > ~/b & head -c 3000000 /dev/zero > $TMPDIR/c & wait",
    code: "SANDBOX_DISK",
  },
  {
    name: "disk, in shared memory",
    isolation: "full",
    limits: disk,
    command: "for i in 1 2 3; do head -c 3000000 /dev/zero > /dev/shm/f$i; done",
    code: "SANDBOX_DISK",
  },
  {
    name: "disk, by files that are deleted and still open",
    isolation: "full",
    limits: disk,
    command: javascript(
      "const f=require('fs');for(let i=0;i<4;i++){const d=f.openSync('x','w');f.unlinkSync('x');try{f.writeSync(d,Buffer.alloc(3e6))}catch{}}setTimeout(()=>process.exit(1),3000)",
    ),
    code: "SANDBOX_DISK",
  },
  {
    name: "inodes, as files",
    limits: { inodes_max: 200 },
    command: "seq 250 | xargs touch; sleep 1",
    code: "SANDBOX_INODES",
  },
  {
    name: "inodes, as directories, links and pipes by several processes",
    limits: { inodes_max: 200 },
    command:
      "(seq 90 | sed 's/^/d/' | xargs mkdir) & (for i in $(seq 90); do ln -s x l$i; done) & (seq 90 | sed 's/^/p/' | xargs mkfifo) & wait",
    code: "SANDBOX_INODES",
  },
  { name: "output", limits: { output_bytes_max: 10_000 }, command: "yes", code: "SANDBOX_OUTPUT" },
  {
    name: "output on the other stream",
    limits: { output_bytes_max: 10_000 },
    command: "yes >&2",
    code: "SANDBOX_OUTPUT",
  },
  {
    name: "output of several",
    limits: { output_bytes_max: 10_000 },
    command: "for i in 1 2 3; do head -c 4000 /dev/zero & done; wait",
    code: "SANDBOX_OUTPUT",
  },
];

/** Every limit, met by one process and by many. */
export const LIMITS: SandboxCase[] = CASES.map((each) => ({ isolation: "any", ...each }));
