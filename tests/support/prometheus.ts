// A strict reader of the Prometheus text format 0.0.4: what it takes, any scraper takes.

export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  /** Sample name and labels as written, to value. */
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const NUMBER = "[+-]?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|Inf)|NaN";
const HELP = new RegExp(`^# HELP (${NAME}) (.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^((${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})?) (${NUMBER})$`);

interface OpenFamily {
  readonly name: string;
  readonly help: string;
  type: string;
  readonly samples: Map<string, number>;
}

/** Throws Error naming the line where the text is not exactly as the format wants it. */
export function parsePrometheus(text: string): ReadonlyMap<string, MetricFamily> {
  const families = new Map<string, OpenFamily>();
  let family: OpenFamily | undefined;
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no line feed");
  for (const [index, line] of text.split("\n").slice(0, -1).entries()) {
    const refuse = (why: string): never => {
      throw new Error(`line ${index + 1}: ${why}: ${line}`);
    };
    const help = HELP.exec(line);
    const type = TYPE.exec(line);
    if (help !== null) {
      if (families.has(help[1]!)) refuse("a second HELP");
      family = { name: help[1]!, help: help[2]!, type: "", samples: new Map() };
      families.set(family.name, family);
    } else if (type !== null) {
      if (family?.name !== type[1] || family?.type !== "") refuse("TYPE is not behind its HELP");
      family!.type = type[2]!;
    } else addSample(family, line, refuse);
  }
  for (const each of families.values()) if (each.type === "histogram") checkHistogram(each);
  return families;
}

function addSample(
  family: OpenFamily | undefined,
  line: string,
  refuse: (why: string) => never,
): void {
  const sample = SAMPLE.exec(line) ?? refuse("not a sample");
  const [, key, name, labels = "", value] = sample;
  const suffixes = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => name === family?.name + suffix)) refuse("not of its family");
  const names = labels.split(/="(?:[^"\\]|\\.)*",?/).filter((each) => each !== "");
  if (new Set(names).size !== names.length) refuse("a label twice");
  if (family!.samples.has(key!)) refuse("a series twice");
  family!.samples.set(key!, Number(value!.replace("Inf", "Infinity")));
}

/** Buckets go up to +Inf without going down, and the last is the count. */
function checkHistogram({ name, samples }: OpenFamily): void {
  const counts = new Map<string, number>();
  const bounds = new Map<string, number>();
  for (const [key, value] of samples) {
    const bucket = /^[^{]*_bucket\{(.*?),?le="([^"]*)"\}$/.exec(key);
    if (bucket === null) continue;
    const [, series, bound] = bucket;
    const upTo = bound === "+Inf" ? Infinity : Number(bound);
    if (value < (counts.get(series!) ?? 0)) throw new Error(`${key} goes down`);
    if (!(upTo > (bounds.get(series!) ?? -Infinity))) throw new Error(`${key} is out of order`);
    counts.set(series!, value);
    bounds.set(series!, upTo);
  }
  for (const [series, count] of counts) {
    if (bounds.get(series) !== Infinity) throw new Error(`${name}{${series}} has no +Inf`);
    const total = samples.get(series === "" ? `${name}_count` : `${name}_count{${series}}`);
    if (total !== count) throw new Error(`${name}{${series}}: +Inf is not the count`);
  }
}
