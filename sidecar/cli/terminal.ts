// Texts of others on a terminal: nothing that could take it over, and tables.

/** A text in one line without control characters, which a terminal would obey. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what it is about
  return text.replaceAll(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (character) => {
    if (character === "\n") return "; ";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
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
