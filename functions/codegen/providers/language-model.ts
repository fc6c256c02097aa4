import type { LanguageModel } from "ai";
import type { ModelChoice } from "#lib/platform/config/model-choice.ts";

type Fetch = typeof globalThis.fetch;

/** A key that is sent where none is configured: the packages refuse to work without one. */
const NO_KEY = "none";

/**
 * The model of the AI SDK for one question. Each provider's package is loaded when it is used first
 * (docs/decisions/0030-ai-sdk.md).
 */
export async function languageModel(choice: ModelChoice, fetch: Fetch): Promise<LanguageModel> {
  const { provider, model, base_url: baseURL, secret } = choice;
  switch (provider) {
    case "openai-compatible": {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      const settings = { name: "model", baseURL: baseURL ?? "", includeUsage: true, fetch };
      return createOpenAICompatible({ ...settings, ...(secret && { apiKey: secret }) })(model);
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return createAnthropic({ ...(baseURL && { baseURL }), apiKey: secret || NO_KEY, fetch })(model);
    }
    case "amazon-bedrock": {
      const { createAmazonBedrock } = await import("@ai-sdk/amazon-bedrock");
      const { region } = choice;
      const key = secret ? { apiKey: secret } : {};
      return createAmazonBedrock({ ...(baseURL && { baseURL }), ...(region && { region }), ...key, fetch })(
        model,
      );
    }
  }
}
