/** A CloudFormation template as data. */
export interface Template {
  Parameters?: Record<string, Record<string, unknown>>;
  Resources: Record<string, TemplateResource>;
  Outputs?: Record<string, Record<string, unknown>>;
  [section: string]: unknown;
}

export interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
  DependsOn?: string | string[];
  [attribute: string]: unknown;
}

/** The properties of all resources of one type, by logical id; what is in them is for the caller to say. */
export function resourcesOf<Properties = Record<string, unknown>>(
  { Resources }: Pick<Template, "Resources">,
  type: string,
): [string, Properties][] {
  return Object.entries(Resources).flatMap(([id, one]) =>
    one.Type === type ? [[id, (one.Properties ?? {}) as Properties]] : [],
  );
}

/** The logical ids that a value refers to by Ref, Fn::GetAtt or Fn::Sub, at any depth. */
export function references(value: unknown): Set<string> {
  const found = new Set<string>();
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== "object" || one === null) continue;
    const { Ref, "Fn::GetAtt": get, "Fn::Sub": sub } = one as Record<string, unknown>;
    if (typeof Ref === "string") found.add(Ref);
    if (get !== undefined) found.add(String([get].flat()[0]).split(".")[0] ?? "");
    for (const [, id = ""] of String([sub].flat()[0]).matchAll(/\$\{([A-Za-z0-9]+)/g)) found.add(id);
    open.push(...Object.values(one));
  }
  return found;
}
