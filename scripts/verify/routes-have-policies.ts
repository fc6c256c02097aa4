import { RoutePoliciesConfig } from "#schemas/config/route-policies.ts";
import { httpRoutes, parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import type { Rule } from "./rule.ts";

const POLICIES_FILE = "configs/route_policies.json";

/** Each HTTP route of serverless.yml has a policy, and each policy a route: what has none is closed. */
export const routesHavePolicies: Rule = {
  name: "routes-have-policies",
  check(tree) {
    if (!tree.has(SERVERLESS_FILE)) return [];
    const { functions } = parseServerless(tree.read(SERVERLESS_FILE));
    const declared = Object.values(functions).flatMap(httpRoutes);
    if (declared.length === 0 && !tree.has(POLICIES_FILE)) return [];
    if (!tree.has(POLICIES_FILE)) return [`${POLICIES_FILE} is missing: every route is closed without it.`];
    const parsed = RoutePoliciesConfig.safeParse(JSON.parse(tree.read(POLICIES_FILE)));
    if (!parsed.success) return []; // another rule's finding
    const opened = Object.keys(parsed.data.routes);
    return [
      ...declared
        .filter((route) => !opened.includes(route))
        .map((route) => `${SERVERLESS_FILE}: ${route} is closed: give it a policy in ${POLICIES_FILE}.`),
      ...opened
        .filter((route) => !declared.includes(route))
        .map((route) => `${POLICIES_FILE}: there is no route ${route} in ${SERVERLESS_FILE}: take it out.`),
    ];
  },
};
