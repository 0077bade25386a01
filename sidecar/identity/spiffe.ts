// SPIFFE ids of the mesh's workloads: `spiffe://TRUST-DOMAIN/ns/NAMESPACE/svc/NAME` (the SPIFFE-ID specification, section 2, narrower
// where it allows more: nobody here has another form).

export interface Workload {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly service: string;
}

/** Section 2.1: lower case, digits, dots, dashes, underscores. */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
/** Section 2.2: letters, digits and `.-_`; a segment of dots alone could be read as a way up. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/;
/** Section 2.3. */
const MAX_ID = 2048;

const PREFIX = "spiffe://";

/** Whether `text` may stand for a trust domain. */
export function isTrustDomain(text: string): boolean {
  return TRUST_DOMAIN.test(text);
}

/** Whether `text` may stand for a namespace or a service in an id. */
export function isIdSegment(text: string): boolean {
  return SEGMENT.test(text);
}

/** How the ids of all workloads of a namespace begin. */
export function namespacePrefix(
  { trustDomain, namespace }: Pick<Workload, "trustDomain" | "namespace">,
): string {
  return `${PREFIX}${trustDomain}/ns/${namespace}/svc/`;
}

/** The id of a workload. Throws RangeError where a part cannot stand in one. */
export function formatId({ trustDomain, namespace, service }: Workload): string {
  const id = namespacePrefix({ trustDomain, namespace }) + service;
  if (parseId(id) === undefined) throw new RangeError(`${JSON.stringify(id)} is no SPIFFE id`);
  return id;
}

/** What an id says; undefined for what is not of the mesh's form to the letter. */
export function parseId(id: string): Workload | undefined {
  if (id.length > MAX_ID || !id.startsWith(PREFIX)) return undefined;
  const [trustDomain, ns, namespace, svc, service, ...more] = id.slice(PREFIX.length).split("/");
  if (ns !== "ns" || svc !== "svc" || more.length > 0) return undefined;
  if (trustDomain === undefined || namespace === undefined || service === undefined) {
    return undefined;
  }
  const isSound = isTrustDomain(trustDomain) && isIdSegment(namespace) && isIdSegment(service);
  return isSound ? { trustDomain, namespace, service } : undefined;
}

export function isWorkloadId(id: string): boolean {
  return parseId(id) !== undefined;
}
