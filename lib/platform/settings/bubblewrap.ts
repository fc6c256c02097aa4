import { z } from "zod";

const INSTALLED_AT = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];

const Environment = z.object({
  BUBBLEWRAP_PATH: z
    .union([z.literal(""), z.literal("none"), z.string().startsWith("/")])
    .default("")
    .describe("absolute path of `bwrap`; `none` hides it; empty: where packages install it"),
});

/**
 * The paths where `bwrap` may be, in the order to try them; none when BUBBLEWRAP_PATH is `none`.
 * Throws a ZodError when the variable is a relative path.
 */
export function bubblewrapPaths(environment: NodeJS.ProcessEnv = process.env): string[] {
  const { BUBBLEWRAP_PATH: path } = Environment.parse(environment);
  if (path === "none") return [];
  return path === "" ? INSTALLED_AT : [path];
}
