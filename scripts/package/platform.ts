import process from "node:process";

/** What a package with native code is made for, as such packages name it. */
export interface Platform {
  os: string;
  cpu: string;
  /** Of Linux. */
  libc?: string;
}

/** Lambda as serverless.yml asks for it: `architecture: arm64`, Amazon Linux. */
export const LAMBDA: Platform = { os: "linux", cpu: "arm64", libc: "glibc" };

/** The machine this runs on. */
export function thisMachine(): Platform {
  const { platform, arch } = process;
  if (platform !== "linux") return { os: platform, cpu: arch };
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return { os: platform, cpu: arch, libc: header?.glibcVersionRuntime ? "glibc" : "musl" };
}
