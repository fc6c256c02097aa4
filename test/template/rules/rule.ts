import type { Template } from "../../../scripts/package/template.ts";

/** What must hold of the rendered template. */
export interface TemplateRule {
  /** A sentence. */
  says: string;
  /** What breaks it, a sentence each. */
  check(template: Template): string[];
  /** Changes that break it, each by what it does. */
  mutations: Record<string, (template: Template) => void>;
}

type Fields = Record<string, unknown>;

/** A resource of the template to change, by its logical id. Throws when there is none. */
export function properties(template: Template, id: string): Fields {
  const found = template.Resources[id]?.Properties;
  if (!found) throw new Error(`the template has no ${id}`);
  return found;
}

/** `{Ref: X}` and `{Fn::GetAtt: [X, …]}` → X. */
export function idIn(value: unknown): string | undefined {
  const { Ref, "Fn::GetAtt": get } = (value ?? {}) as { Ref?: string; "Fn::GetAtt"?: string[] };
  return Ref ?? get?.[0];
}
