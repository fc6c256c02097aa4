import type { Difference } from "../difference.ts";

const GUIDE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide";
const REFERENCE = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference";

/** The simulation's table is compared with the embedded one, on random writes, by this test. */
const COMPARED = "test/simulation/dynamodb/table.test.ts";

export const dynamodb_differences = {
  index_lag: {
    behaviour: "When an index shows a write",
    aws: "later, usually within a second: reads of a global secondary index are eventually consistent",
    page: `${GUIDE}/GSI.html#GSI.Writes`,
    targets: {
      embedded: { does: "at once", observed: "at once" },
      moto: { does: "at once", observed: "at once" },
      "dynamodb-local": { does: "at once", observed: "at once" },
    },
    not_leaned_on:
      "What decides is read from the table, strongly consistent; lists and the sweeper may be behind, and the simulation keeps them up to 20 s behind.",
    bridged_in: "test/simulation/dynamodb/table.ts",
  },
  item_of_refusal: {
    behaviour: "The item that a refused condition met",
    aws: "is in the error when `ReturnValuesOnConditionCheckFailure` asks for it",
    page: `${REFERENCE}/API_UpdateItem.html`,
    targets: {
      embedded: { does: "is not given", observed: "no item" },
      simulation: { does: "is not given", observed: "no item" },
    },
    not_leaned_on: "Whoever needs it reads it again, which also tells a write of ours that was sent twice.",
    bridged_in: "lib/resilience/idempotency/claim.ts",
  },
  expression_bytes: {
    behaviour: "Expressions over 4 KB",
    aws: "are refused",
    page: `${GUIDE}/Constraints.html#limits-expression-parameters`,
    targets: {
      embedded: { does: "are taken", observed: { columns: 120, at_4096: "done", at_4097: "done" } },
      moto: { does: "are taken", observed: { columns: 120, at_4096: "done", at_4097: "done" } },
      simulation: { does: "are taken", observed: { columns: 120, at_4096: "done", at_4097: "done" } },
    },
    not_leaned_on: "The two updates whose length depends on the load have a most number of columns.",
    bridged_in: "lib/resilience/circuit/circuit-table.ts",
  },
  index_keys: {
    behaviour: "An item whose index key is empty or no text",
    aws: "is refused",
    page: `${GUIDE}/GSI.html`,
    targets: {
      embedded: {
        does: "is taken when the key is an empty text",
        observed: {
          empty_key: "ValidationException",
          number_key: "ValidationException",
          empty_index_key: "done",
          number_index_key: "ValidationException",
          half_an_index_key: "done",
        },
      },
      moto: {
        does: "is taken when the key is a number",
        observed: {
          empty_key: "ValidationException",
          number_key: "ValidationException",
          empty_index_key: "ValidationException",
          number_index_key: "done",
          half_an_index_key: "done",
        },
      },
      simulation: {
        does: "is taken",
        observed: {
          empty_key: "ValidationException",
          number_key: "ValidationException",
          empty_index_key: "done",
          number_index_key: "done",
          half_an_index_key: "done",
        },
      },
    },
    not_leaned_on: "Index keys are made of a fixed prefix, a tenant, a time or an id: none can be empty.",
  },
  number_digits: {
    behaviour: "Numbers of more than 38 digits, or beyond 10^125",
    aws: "are refused",
    page: `${GUIDE}/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number`,
    targets: {
      moto: { does: "are kept", observed: ["9".repeat(38), "9".repeat(39), "1e126"] },
    },
    not_leaned_on: "A number of JavaScript has 17 digits at most; times are in microseconds, with 16.",
  },
  item_bytes: {
    behaviour: "An item of exactly 400 KB",
    aws: "is taken",
    page: `${GUIDE}/Constraints.html#limits-items`,
    targets: {
      moto: {
        does: "is refused: its limit is a little lower",
        observed: {
          at_the_limit: "ValidationException",
          one_more: "ValidationException",
          grown: "ValidationException",
        },
      },
    },
    not_leaned_on: "What may grow is cut at 100,000 characters or 300,000 bytes.",
    bridged_in: "lib/platform/trace/task-spans.ts",
  },
  last_page: {
    behaviour: "A last page that is exactly full",
    aws: "has a `LastEvaluatedKey`, and an empty page follows",
    page: `${GUIDE}/Query.Pagination.html`,
    targets: {
      moto: {
        does: "is known to be the last",
        observed: {
          of_two: [
            ["a", "b"],
            ["c", "d"],
          ],
          of_three: [["a", "b", "c"], ["d"]],
          none: [[]],
        },
      },
    },
    not_leaned_on: "A list asks for one more than it shows; all others take an empty page for what it is.",
    bridged_in: "lib/platform/table/query-page.ts",
  },
  unknown_commands: {
    behaviour: "Deleting items, numbers of 38 digits, sets, items of 400 KB",
    aws: "as its reference says",
    page: `${REFERENCE}/API_Operations_Amazon_DynamoDB.html`,
    targets: {
      simulation: {
        does: "are not modelled: the command is refused as a mistake in the test",
        observed: { throws: "TypeError" },
      },
    },
    not_leaned_on: "No handler under simulation does any of it; the other targets are held to it.",
  },
  overlapping_paths: {
    behaviour: "An update that sets and removes the same attribute",
    aws: "is refused",
    page: `${GUIDE}/Expressions.UpdateExpressions.html`,
    targets: {
      simulation: {
        does: "is done in order",
        observed: {
          uncounted: "ValidationException",
          valueless: "ValidationException",
          unused: "ValidationException",
          overlapping: "done",
          left: {},
        },
      },
    },
    not_leaned_on: "Every write the simulation makes is made on the embedded table too, which refuses it.",
    bridged_in: COMPARED,
  },
  reserved_words: {
    behaviour: "Reserved words as names without `#`",
    aws: "are refused",
    page: `${GUIDE}/ReservedWords.html`,
    targets: {
      simulation: {
        does: "are taken",
        observed: ["done", "done", "done", "done", "done", "done"],
      },
    },
    not_leaned_on: "Every write the simulation makes is made on the embedded table too, which refuses them.",
    bridged_in: COMPARED,
  },
  decimals: {
    behaviour: "0.1 + 0.2 in an update",
    aws: "is 0.3: numbers are decimals of 38 digits",
    page: `${GUIDE}/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number`,
    targets: {
      simulation: { does: "is 0.30000000000000004, as in JavaScript", observed: 0.1 + 0.2 },
    },
    not_leaned_on: "What is added up is whole: counts, milliseconds and microseconds.",
  },
  key_bytes: {
    behaviour: "Keys over 2,048 or 1,024 bytes",
    aws: "are refused",
    page: `${GUIDE}/Constraints.html#limits-partition-sort-keys`,
    targets: { simulation: { does: "are taken", observed: ["done", "done", "done"] } },
    not_leaned_on: "Every part of a key has a length in its schema; the other targets refuse longer ones.",
  },
  page_bytes: {
    behaviour: "A page of a query",
    aws: "ends at 1 MB",
    page: `${GUIDE}/Query.Pagination.html`,
    targets: {
      simulation: {
        does: "ends after a drawn number of items, 1 to 1,000",
        observed: {
          table: { more_than_one_page: false, items: "0123456" },
          index: { more_than_one_page: false, items: "0123456" },
        },
      },
    },
    not_leaned_on:
      "Every query that needs all goes on while there is a `LastEvaluatedKey`; pages of one item show that it does.",
    bridged_in: "test/simulation/engine/faults.ts",
  },
  upside_down_range: {
    behaviour: "`BETWEEN` with its upper bound below its lower one",
    aws: "is refused",
    page: `${GUIDE}/Query.KeyConditionExpressions.html`,
    targets: {
      moto: { does: "finds nothing", observed: { between: "bc", up_to: "ab", upside_down: "done" } },
      simulation: { does: "finds nothing", observed: { between: "bc", up_to: "ab", upside_down: "done" } },
    },
    not_leaned_on: "A time range that is upside down never gets to the table.",
    bridged_in: "lib/platform/table/query-page.ts",
  },
  projection: {
    behaviour: "`ProjectionExpression`",
    aws: "leaves out all else",
    page: `${GUIDE}/Expressions.ProjectionExpressions.html`,
    targets: {
      simulation: {
        does: "is not looked at: whole items come",
        observed: [
          { pk: "p", sk: "a", text: "t" },
          { pk: "p", sk: "a", text: "t" },
        ],
      },
    },
    not_leaned_on: "Only the clean-up asks for it, which is not under simulation.",
  },
  index_reads: {
    behaviour: "A strongly consistent read of an index",
    aws: "is refused",
    page: `${GUIDE}/HowItWorks.ReadConsistency.html`,
    targets: { simulation: { does: "is answered, behind the table as ever", observed: "done" } },
    not_leaned_on: "No query of an index asks for it; the other targets refuse it.",
  },
  key_order: {
    behaviour: "The order of keys beyond U+FFFF",
    aws: "is that of their UTF-8 bytes",
    page: `${GUIDE}/Query.html`,
    targets: {
      simulation: {
        does: "is that of UTF-16, which puts them before U+E000",
        observed: {
          forwards: ["STEP#0", "STEP#1", "TASK", "a", "b", "\u{1f600}", "\uff5e"],
          backwards: ["STEP#0", "STEP#1", "TASK", "a", "b", "\u{1f600}", "\uff5e"],
        },
      },
    },
    not_leaned_on: "Sort keys that order matters for are ASCII: times, numbers, step names.",
  },
} satisfies Record<string, Difference>;
