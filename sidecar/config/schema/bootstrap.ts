// The bootstrap document as a whole: every section by its name.
import * as z from "zod";
import { identity } from "./identity.ts";
import { section } from "./fields.ts";
import { schemaReference } from "./scalars.ts";
import { gateway } from "./gateway.ts";
import {
  drain,
  limits,
  listeners,
  log,
  policySource,
  redis,
  service,
  tracing,
  workers,
} from "./instance.ts";
import { policy } from "./policy.ts";
import { registry } from "./registry.ts";

export const bootstrapDocument = section({ description: "Bootstrap of a sidecar." }, {
  $schema: schemaReference(),
  service,
  listeners: listeners.prefault({}),
  registry: registry.prefault({ files: {} }),
  policySource: policySource.optional(),
  redis: redis.optional(),
  tracing: tracing.prefault({}),
  policy: policy.optional(),
  identity: identity.prefault({}),
  workers,
  gateway: gateway.optional(),
  limits: limits.prefault({}),
  drain: drain.prefault({}),
  log: log.prefault({}),
});

export type BootstrapDocument = z.output<typeof bootstrapDocument>;

/** Sections as far as they are sound alone; a broken one is absent and named. */
export interface SoundSections extends Partial<BootstrapDocument> {
  readonly broken: ReadonlySet<string>;
}

/** What rules can look at when the document as a whole is not sound. */
export function soundSections(value: unknown): SoundSections {
  const fields = new Map(Object.entries(value ?? {}));
  const broken = new Set<string>();
  const sound: [string, unknown][] = [];
  for (const [key, schema] of Object.entries(bootstrapDocument.shape)) {
    const result = schema.safeParse(fields.get(key));
    if (result.success) sound.push([key, result.data]);
    else broken.add(key);
  }
  return { ...Object.fromEntries(sound), broken };
}
