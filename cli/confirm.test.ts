import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { confirm } from "./confirm.ts";

async function answered(text: string | undefined): Promise<string> {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  const asked = confirm("Apply it?", { input, output });
  if (text === undefined) input.end();
  else input.write(text);
  const code = await asked.then(
    () => "yes",
    (error) => error.code,
  );
  expect(String(output.read())).toContain("Apply it? [y/N] ");
  return code;
}

it("takes y and yes for a yes, and nothing else", async () => {
  for (const text of ["y\n", "YES\n", " yes \n"]) expect(await answered(text), text).toBe("yes");
  for (const text of ["\n", "n\n", "yo\n", undefined])
    expect(await answered(text), text).toBe("NOT_CONFIRMED");
});

it("asks nobody where standard input is no terminal", async () => {
  const streams = { input: new PassThrough(), output: new PassThrough() };
  await expect(confirm("Apply it?", streams)).rejects.toMatchObject({ code: "NOT_CONFIRMED", exit_code: 2 });
});
