import { expect, it } from "vitest";
import { commitMessage, messageOf } from "./task-message.ts";

it("takes the heading for the title, as plain text, and the rest for the description", () => {
  const message = messageOf("# Make &#95;add&#42; add\n\nIt &#60;adds&#62; now.\n\n## Changes\n\nOne.\n");
  expect(message).toEqual({
    title: "Make _add* add",
    description: "It &#60;adds&#62; now.\n\n## Changes\n\nOne.",
  });
  expect(commitMessage(message)).toBe("Make _add* add\n\nIt <adds> now.\n\n## Changes\n\nOne.");
});

it("cuts a title to what forges show, between characters", () => {
  const { title } = messageOf(`# ${"😀".repeat(100)}`);
  expect([...title]).toHaveLength(72);
  expect(title.endsWith("😀…")).toBe(true);
  expect(commitMessage({ title: "Only this", description: "" })).toBe("Only this");
});
