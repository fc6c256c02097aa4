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

/** The resources of one type, by logical id. */
export function resourcesOf(
  { Resources }: Pick<Template, "Resources">,
  type: string,
): [string, Record<string, unknown>][] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) =>
    Type === type ? [[id, Properties]] : [],
  );
}
