/** `my-agent` → `MyAgent`, the first part of the logical ids of its resources. */
export function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}
