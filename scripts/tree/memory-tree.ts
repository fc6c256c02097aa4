import type { Tree } from "./tree.ts";

/** A tree for tests: path → text, and path → the exports of a module. */
export function memoryTree(
  texts: Record<string, string>,
  modules: Record<string, Record<string, unknown>> = {},
): Tree {
  const files = [...new Set([...Object.keys(texts), ...Object.keys(modules)])].sort();
  return {
    files,
    read(path) {
      const text = texts[path];
      if (text === undefined) throw new Error(`No file ${path} in this tree.`);
      return text;
    },
    has: (path) => files.includes(path),
    async load(path) {
      const module = modules[path];
      if (module === undefined) throw new Error(`No module ${path} in this tree.`);
      return module;
    },
  };
}
