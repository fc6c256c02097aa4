/** A file with blocks to edit: what is before, the block, what it becomes, what is after; all in whole lines. */
export interface Base {
  path: string;
  head: string[];
  block: string[];
  becomes: string[];
  tail: string[];
}

/** Splits a file at lines of `<<<`, `===` and `>>>`. */
function base(path: string, text: string): Base {
  const parts: string[][] = [[]];
  for (const line of text.split("\n").slice(1, -1)) {
    if (/^(?:<<<|===|>>>)$/.test(line)) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  const [head = [], block = [], becomes = [], tail = []] = parts;
  return { path, head, block, becomes, tail };
}

export const BASES: Base[] = [
  base(
    "src/range.js",
    `
import { parse } from "./parse.js";

export class Range {
  constructor(from, to) {
    this.from = parse(from);
    this.to = parse(to);
  }

<<<
  includes(day) {
    if (day < this.from) {
      return false;
    }

    return day < this.to;
  }
===
  includes(day) {
    if (day < this.from) {
      return false;
    }

    // The last day belongs to the range.
    return day <= this.to;
  }
>>>

  get days() {
    return this.to - this.from;
  }
}
`,
  ),
  base(
    "app/orders.py",
    `
class Orders:
    def __init__(self, store):
        self.store = store

<<<
    def total(self, customer):
        total = 0
        for order in self.store.of(customer):
            if order.open:
                total += order.amount
        return total
===
    def total(self, customer, currency="EUR"):
        total = 0
        for order in self.store.of(customer):
            if order.open and order.currency == currency:
                total += order.amount
        return total
>>>

    def count(self, customer):
        return len(self.store.of(customer))
`,
  ),
  base(
    "cmd/serve.go",
    `
package main

func serve(address string) error {
	listener, err := net.Listen("tcp", address)
<<<
	if err != nil {
		log.Println("cannot listen")
		return err
	}
	for {
		accept(listener)
	}
===
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	defer listener.Close()
	for {
		accept(listener)
	}
>>>
}

func main() {
	serve(":8080")
}
`,
  ),
  base(
    "deploy/service.yaml",
    `
kind: Deployment
spec:
  replicas: 2
  template:
    spec:
      containers:
<<<
        - name: web
          image: web:1.4
          ports:
            - containerPort: 80
===
        - name: web
          image: web:1.5
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet: { path: /ready }
>>>
        - name: sidecar
          image: sidecar:2.0
`,
  ),
  base(
    "docs/grüße.md",
    `
# Grüße 👋

Wörter vor der Liste, 日本語 und العربية.

<<<
- „Grüß Gott“ → Österreich
- «Grüezi» → Schweiz

Ende der Liste.
===
- „Grüß Gott“ → Österreich, Bayern
- «Grüezi» → Schweiz
- “Hello” → 🇬🇧

Ende der Liste.
>>>

Danach: naïve café, e\u0301 ist nicht é.
`,
  ),
  base(
    "lib/tree.c",
    `
#include "tree.h"

int depth(struct node *node)
{
    if (!node)
        return 0;
<<<
    switch (node->kind) {
    case LEAF:
        return 1;
    case INNER:
        {
            int left = depth(node->left);
            int right = depth(node->right);
            return 1 + (left > right ? left : right);
        }
    }
===
    switch (node->kind) {
    case LEAF:
        return 1;
    case INNER:
        return 1 + max(depth(node->left), depth(node->right));
    case LINK:
        return depth(node->target);
    }
>>>
    abort();
}
`,
  ),
  base(
    "web/list.html",
    `
<!doctype html>
<html>
  <body>
    <h1>Items</h1>
<<<
    <ul class="items">
      <li data-id="1">One</li>
      <li data-id="2">Two</li>
    </ul>
===
    <ol class="items">
      <li data-id="1">One</li>
      <li data-id="2">Two</li>
      <li data-id="3">Three &amp; more</li>
    </ol>
>>>
    <footer>end</footer>
  </body>
</html>
`,
  ),
  base(
    "src/session.ts",
    `
export async function load(id: string): Promise<Session> {
  const row = await store.get(id);
  if (!row) throw new Missing(id);
  return decode(row);
}

<<<
export async function save(session: Session): Promise<void> {
  const row = encode(session);
  await store.put(session.id, row);
  await cache.drop(session.id);
}
===
export async function save(session: Session): Promise<void> {
  const row = encode(session);
  await cache.drop(session.id);
  await store.put(session.id, row, { ttl_seconds: 3600 });
}
>>>

export async function drop(id: string): Promise<void> {
  await store.remove(id);
  await cache.drop(id);
}
`,
  ),
];
