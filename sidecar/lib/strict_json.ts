// JSON in which no object names a member twice (RFC 8259, section 4): where two readers may take two values, one of
// them would be the one that was checked and the other the one that is believed.

/** As JSON.parse, and throws SyntaxError on a name that comes twice, however it is escaped. */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  refuseDuplicates(text);
  return value;
}

/** Names seen in each object that is open; null for a list. */
type Open = (Set<string> | null)[];

/** `text` is JSON already, so that a string is a name where a colon follows it. */
function refuseDuplicates(text: string): void {
  const open: Open = [];
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (letter === "{") open.push(new Set());
    else if (letter === "[") open.push(null);
    else if (letter === "}" || letter === "]") open.pop();
    else if (letter === '"') {
      const end = endOfString(text, i);
      if (isName(text, end)) note(open.at(-1), text.slice(i, end));
      i = end - 1;
    }
  }
}

function note(names: Set<string> | null | undefined, quoted: string): void {
  const name = String(JSON.parse(quoted));
  if (names?.has(name)) throw new SyntaxError("a member comes twice");
  names?.add(name);
}

/** Behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}

function isName(text: string, from: number): boolean {
  let i = from;
  while (text[i] === " " || text[i] === "\t" || text[i] === "\n" || text[i] === "\r") i++;
  return text[i] === ":";
}
