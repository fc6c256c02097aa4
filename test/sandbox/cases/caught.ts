import type { Tool } from "#test/tools.ts";
import { javascript, type SandboxCase } from "../sandbox-case.ts";

const MIB = 1024 * 1024;
const disk = { file_bytes_max: 8 * MIB, disk_bytes_max: 16 * MIB };
const everything = { ...disk, memory_bytes_max: 2048 * MIB };

/** Writes until it is refused or stopped, deletes what it wrote, and ends with 0. */
const write = (file: string, mib: number) =>
  javascript(
    `const f=require('fs');const d=f.openSync('${file}','w');try{for(let i=0;i<${mib};i++)f.writeSync(d,Buffer.alloc(${MIB},1))}catch{}f.closeSync(d);f.unlinkSync('${file}')`,
  );

const caller: Tool = process.arch === "x64" ? "perl and a memory control group" : "an x64 machine";
const call = (program: string) => `perl -e '${program}'`;
/** mmap(2) of shared anonymous memory, touched by read(2) into it, then madvise(2) MADV_DONTNEED. */
const released = (mib: number) =>
  call(
    `open my $z, "<", "/dev/zero"; my $n=${mib}*1048576; my $a=syscall(9,0,$n,3,33,-1,0); for(my $o=0;$o<$n;$o+=67108864){ syscall(0,fileno($z),$a+$o,67108864); syscall(28,$a+$o,67108864,4) } select(undef,undef,undef,0.3)`,
  );

/** Maps so many GiB without memory behind them and reads a byte of every 2 MiB: 4 KiB of page table for each. */
const pageTables = (gib: number) =>
  call(
    `open my $f, ">", "byte"; my $n=${gib}<<30; my $a=syscall(9,0,$n,1,0x4022,-1,0); exit 1 if $a==-1; syscall(28,$a,$n,15); for(my $o=0;$o<$n;$o+=2097152){ syscall(18,fileno($f),$a+$o,1,0) } select(undef,undef,undef,1)`,
  );

/** What no file may become, by one block of `ulimit -f`. */
const keptWithin =
  (file_bytes_max: number): SandboxCase["check"] =>
  async ({ usage }) => {
    if ((usage.file_bytes_peak ?? 0) > file_bytes_max + 512)
      throw new Error(`a file had ${usage.file_bytes_peak} bytes`);
  };

const CASES: (Omit<SandboxCase, "isolation"> & Partial<SandboxCase>)[] = [
  {
    name: "a file that would grow too large, was refused, and is deleted",
    limits: everything,
    command: write("big", 600),
    code: "PASSED",
    check: keptWithin(8 * MIB),
  },
  {
    name: "the same in /tmp",
    limits: everything,
    command: write("'+process.env.TMPDIR+'/big", 600),
    code: "PASSED",
    check: keptWithin(8 * MIB),
  },
  {
    name: "a file that is left too large, and ends with 0",
    limits: everything,
    command: "head -c 20000000 /dev/zero > big; exit 0",
    code: "SANDBOX_FILE_SIZE",
  },
  {
    name: "a file that is deleted first and grows then",
    limits: everything,
    command: javascript(
      `const f=require('fs');const d=f.openSync('x','w');f.unlinkSync('x');try{for(let i=0;i<600;i++)f.writeSync(d,Buffer.alloc(${MIB},1))}catch{}`,
    ),
    code: "PASSED",
    check: keptWithin(8 * MIB),
  },
  {
    name: "the same, keeps it open and fails",
    limits: everything,
    command: javascript(
      `const f=require('fs');const d=f.openSync('x','w');f.unlinkSync('x');try{for(let i=0;i<600;i++)f.writeSync(d,Buffer.alloc(${MIB},1))}catch{}setTimeout(()=>process.exit(1),3000)`,
    ),
    code: "SANDBOX_FILE_SIZE",
  },
  ...[
    ["fallocate of more than the disk", "fallocate -l 5G x"],
    ["fallocate of more than a file may have", "fallocate -l 100M x"],
    ["fallocate of a byte too many", `fallocate -l ${8 * MIB + 513} x`],
    ["truncate of more than the disk", "truncate -s 10G x"],
    ["truncate of more than a file may have", "truncate -s 100M x"],
    ["a write far behind the end", "echo . | dd of=x bs=1 seek=300M conv=notrunc 2>/dev/null"],
    ["truncate in /dev/shm", "truncate -s 10G /dev/shm/x"],
  ].map(([name, call]) => ({
    name: `a file too large, by ${name}: it is refused`,
    isolation: "full" as const,
    limits: everything,
    command: `{ ${call}; } 2>/dev/null && echo had; stat -c %s x 2>/dev/null | grep -v '^0$'; rm -f x; exit 0`,
    code: "PASSED",
    prints: "",
  })),
  {
    name: "a full disk, in small files that are all deleted",
    isolation: "full",
    limits: everything,
    command: javascript(
      `const f=require('fs');let i=0;try{for(;i<600;i++)f.writeFileSync('f'+i,Buffer.alloc(${MIB},1))}catch{}console.log(i<=17);for(;i>=0;i--)f.rmSync('f'+i,{force:true})`,
    ),
    code: "PASSED",
    prints: "true\n",
  },
  {
    name: "a full disk, in small files that it leaves, and ends with 0",
    isolation: "full",
    limits: everything,
    command: javascript(
      `const f=require('fs');let i=0;try{for(;i<600;i++)f.writeFileSync('f'+i,Buffer.alloc(${MIB},1))}catch{}`,
    ),
    code: "SANDBOX_DISK",
  },
  {
    name: "a full disk, and fails",
    isolation: "full",
    limits: everything,
    command: javascript(
      `const f=require('fs');let i=0;try{for(;i<600;i++)f.writeFileSync('f'+i,Buffer.alloc(${MIB},1))}catch{}setTimeout(()=>{for(;i>=0;i--)f.rmSync('f'+i,{force:true});process.exit(1)},3000)`,
    ),
    code: "SANDBOX_DISK",
  },
  ...[1, 2, 3, 4].map((attempt) => ({
    name: `too many files, all deleted (${attempt})`,
    isolation: "full" as const,
    limits: { inodes_max: 2000 },
    command: javascript(
      "const f=require('fs');let i=0;try{for(;i<30000;i++)f.mkdirSync('d'+i)}catch{}console.log(i<=3000);while(i-->0)f.rmdirSync('d'+i)",
    ),
    code: "PASSED",
    prints: "true\n",
  })),
  {
    name: "too many files, which it leaves, and ends with 0",
    isolation: "full",
    limits: { inodes_max: 2000 },
    command: "seq 5000 | xargs touch 2>/dev/null; exit 0",
    code: "SANDBOX_INODES",
  },
  {
    name: "too many open files, all closed",
    limits: { open_files_max: 64 },
    command: javascript(
      "const f=require('fs');const a=[];try{for(let i=0;i<50000;i++)a.push(f.openSync('/dev/null'))}catch{}a.forEach(f.closeSync);setTimeout(()=>{},500)",
    ),
    code: "SANDBOX_OPEN_FILES",
  },
  {
    name: "too many processes, refused by the kernel",
    isolation: "full",
    limits: { processes_max: 8 },
    command: "for i in $(seq 100); do (sleep 1 &) 2>/dev/null; done; exit 0",
    code: "SANDBOX_PROCESSES",
  },
  {
    name: "shared memory that it has mapped and given back",
    needs: caller,
    limits: { memory_bytes_max: 200 * MIB },
    command: released(512),
    code: "SANDBOX_MEMORY",
  },
  {
    name: "shared memory below the limit",
    needs: caller,
    limits: { memory_bytes_max: 400 * MIB },
    command: released(192),
    code: "PASSED",
  },
  {
    name: "memory, as page tables of addresses without memory",
    needs: caller,
    limits: { memory_bytes_max: 200 * MIB },
    command: pageTables(120),
    code: "SANDBOX_MEMORY",
  },
  {
    name: "memory, as page tables of several",
    needs: caller,
    limits: { memory_bytes_max: 200 * MIB },
    command: `for i in 1 2 3; do ${pageTables(40)} & done; wait`,
    code: "SANDBOX_MEMORY",
  },
  {
    name: "page tables below the limit",
    needs: caller,
    limits: { memory_bytes_max: 200 * MIB },
    command: pageTables(60),
    code: "PASSED",
    check: ({ usage }) => {
      if ((usage.memory_bytes_peak ?? 0) < 120 * MIB)
        throw new Error(`only ${usage.memory_bytes_peak} bytes seen`);
    },
  },
  {
    name: "files in memory of the machine (memfd)",
    isolation: "reduced",
    needs: caller,
    limits: { memory_bytes_max: 200 * MIB, file_bytes_max: 1024 * MIB },
    command: call(
      `my $n="x"; my $d=syscall(319,$n,0); exit 1 if $d<0; open my $z, "<", "/dev/zero"; my $b="x" x 16777216; for(1..32){ syscall(1,$d,$b,16777216) } select(undef,undef,undef,0.3)`,
    ),
    code: "SANDBOX_MEMORY",
  },
];

/**
 * A limit that the program notices and hides. Of files, what is left counts, whatever the exit code: the kernel refuses
 * more, so a command that puts up with it has kept within the limit. Any other limit is named.
 */
export const CAUGHT: SandboxCase[] = CASES.map((each) => ({ isolation: "any", ...each }));
