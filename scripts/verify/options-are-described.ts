import { configurationOptions } from "../generate/configuration-options.ts";
import { publishedSchemas } from "../generate/published-schemas.ts";
import { jsonSchema } from "../generate/schema-file.ts";
import type { Rule } from "./rule.ts";

/** Each option an operator may set says what it is for: docs/reference/configuration.md is made from that. */
export const optionsAreDescribed: Rule = {
  name: "options-are-described",
  async check(tree) {
    return (await publishedSchemas(tree))
      .filter(({ name }) => name.startsWith("config."))
      .flatMap(({ module, title, schema }) =>
        configurationOptions(jsonSchema(schema))
          .filter((option) => !option.schema.description)
          .map(
            ({ path }) =>
              `${module}: ${title}.${path.join(".")} has no .describe(): say what it is and its unit.`,
          ),
      );
  },
};
