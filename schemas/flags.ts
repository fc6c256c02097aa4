import { z } from "zod";

/** Kinds of files that decide what runs, and with which rights, outside of the change itself. */
export const FLAG_CLASSES = [
  "ci",
  "lockfile",
  "package_scripts",
  "package_manager",
  "git_hooks",
  "workspace",
] as const;

export const FlagClass = z
  .enum(FLAG_CLASSES)
  .describe(
    "`ci`: configuration of CI; `lockfile`; `package_scripts`: scripts in package.json; `package_manager`: its settings, such as .npmrc; `git_hooks`: hooks, and .gitattributes and .gitmodules; `workspace`: what an editor or a shell runs when it opens the directory",
  );
export type FlagClass = z.infer<typeof FlagClass>;
