import { agentsAreComplete } from "./agents-are-complete.ts";
import { awsCallsHaveContracts } from "./aws-calls-have-contracts.ts";
import { childProcessesAreClosed } from "./child-processes-are-closed.ts";
import { configsAreValid } from "./configs-are-valid.ts";
import { decisionsAreLinked } from "./decisions-are-linked.ts";
import { errorCodesAreUsed } from "./error-codes-are-used.ts";
import { filesStaySmall } from "./files-stay-small.ts";
import { functionsAreDeployed } from "./functions-are-deployed.ts";
import { importsRunDown } from "./imports-run-down.ts";
import { invariantsNameChecks } from "./invariants-name-checks.ts";
import { lastTriesKnowCircuits } from "./last-tries-know-circuits.ts";
import { linksResolve } from "./links-resolve.ts";
import { npmScriptsExist } from "./npm-scripts-exist.ts";
import { optionsAreDescribed } from "./options-are-described.ts";
import { pagesNameFiles } from "./pages-name-files.ts";
import { queuesKeepMessages } from "./queues-keep-messages.ts";
import { retriesFitQueues } from "./retries-fit-queues.ts";
import { routesAreServed } from "./routes-are-served.ts";
import { routesHavePolicies } from "./routes-have-policies.ts";
import type { Rule } from "./rule.ts";
import { tableHasOneModule } from "./table-has-one-module.ts";
import { threatsNameTests } from "./threats-name-tests.ts";
import { workflowInputsExist } from "./workflow-inputs-exist.ts";

const BASE = [
  functionsAreDeployed,
  queuesKeepMessages,
  retriesFitQueues,
  lastTriesKnowCircuits,
  agentsAreComplete,
  workflowInputsExist,
  configsAreValid,
  optionsAreDescribed,
  routesHavePolicies,
  routesAreServed,
  importsRunDown(),
  filesStaySmall,
  errorCodesAreUsed,
  decisionsAreLinked,
  npmScriptsExist,
  linksResolve,
  pagesNameFiles,
  awsCallsHaveContracts,
  childProcessesAreClosed,
  threatsNameTests,
  tableHasOneModule,
];

/** All rules of `npm run verify`. */
export const RULES: readonly Rule[] = [...BASE, invariantsNameChecks(BASE.map(({ name }) => name))];
