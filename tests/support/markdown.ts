// Reads from Markdown what the documents test needs: links and the anchors that headings make, as GitHub makes them.

export interface Link {
  /** As written: a path, `path#anchor`, `#anchor` or a URL. */
  readonly target: string;
  readonly line: number;
}

/** Inline links, images and reference definitions, outside of code. */
export function linksOf(markdown: string): Link[] {
  return proseLines(markdown).flatMap(({ text, line }) => {
    const prose = text.replace(/`[^`]*`/g, "");
    const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)];
    const reference = [...prose.matchAll(/^\s*\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)/g)];
    return [...inline, ...reference].map(([, target = ""]) => ({ target, line }));
  });
}

/** The anchors of all headings, and of `<a id="...">`. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const { text } of proseLines(markdown)) {
    for (const [, id = ""] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(text)?.[1];
    if (heading === undefined) continue;
    const slug = slugOf(heading);
    let anchor = slug;
    for (let copy = 1; anchors.has(anchor); copy++) anchor = `${slug}-${copy}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** What stands under a heading up to the next one of the same or a higher level; undefined where there is no such heading. */
export function sectionOf(markdown: string, heading: RegExp): string | undefined {
  const lines = markdown.split("\n");
  const levels = proseLines(markdown)
    .map(({ text, line }) => ({ level: /^(#{1,6})\s/.exec(text)?.[1]?.length ?? 0, text, line }))
    .filter(({ level }) => level > 0);
  const start = levels.find(({ text }) => heading.test(text));
  if (start === undefined) return undefined;
  const end = levels.find(({ line, level }) => line > start.line && level <= start.level);
  return lines.slice(start.line, end === undefined ? lines.length : end.line - 1).join("\n");
}

function slugOf(heading: string): string {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
  return text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
}

/** Numbered lines (from 1) that are not inside a fenced block. */
function proseLines(markdown: string): { text: string; line: number }[] {
  let fence: string | undefined;
  return markdown.split("\n").flatMap((text, index) => {
    const mark = /^\s*(```+|~~~+)/.exec(text)?.[1]?.slice(0, 3);
    const wasOutside = fence === undefined;
    if (mark !== undefined && (wasOutside || mark === fence)) fence = wasOutside ? mark : undefined;
    return wasOutside && mark === undefined ? [{ text, line: index + 1 }] : [];
  });
}
