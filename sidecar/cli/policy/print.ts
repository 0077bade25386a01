// Texts of others on a terminal: differences in colour, tables, and nothing that could take the terminal over.
import { structuredPatch } from "diff";
import type { Host } from "../host.ts";

const RED = "\x1b[31m";
const GREEN = "\x1b[32m";
const CYAN = "\x1b[36m";
const PLAIN = "\x1b[0m";

/** A text in one line without control characters, which a terminal would obey. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what it is about
  return text.replaceAll(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (character) => {
    if (character === "\n") return "; ";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

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

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  const cells = rows.map((row) => row.map(printable));
  for (const row of cells) {
    row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return cells
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd())
    .map((line) => `${line}\n`).join("");
}
