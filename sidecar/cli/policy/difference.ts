// What changes between two documents, in colour where the terminal has it.
import { structuredPatch } from "diff";
import type { Host } from "../host.ts";
import { printable } from "../terminal.ts";

const RED = "\x1b[31m";
const GREEN = "\x1b[32m";
const CYAN = "\x1b[36m";
const PLAIN = "\x1b[0m";

/** A unified difference of two documents; empty where there is none. */
export function difference(
  before: { readonly name: string; readonly text: string },
  after: { readonly name: string; readonly text: string },
  { hasColour }: Pick<Host, "hasColour">,
): string {
  const { hunks } = structuredPatch(before.name, after.name, before.text, after.text);
  if (hunks.length === 0) return "";
  const colour = (code: string, line: string) => hasColour ? `${code}${line}${PLAIN}` : line;
  const lines = [`--- ${before.name}`, `+++ ${after.name}`];
  for (const { oldStart, oldLines, newStart, newLines, lines: changed } of hunks) {
    const place = (start: number, count: number) => `${count === 0 ? start - 1 : start},${count}`;
    const header = `@@ -${place(oldStart, oldLines)} +${place(newStart, newLines)} @@`;
    lines.push(colour(CYAN, header));
    for (const line of changed.map(printable)) {
      const code = line.startsWith("+") ? GREEN : line.startsWith("-") ? RED : undefined;
      lines.push(code === undefined ? line : colour(code, line));
    }
  }
  return `${lines.join("\n")}\n`;
}
