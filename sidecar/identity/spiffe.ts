// SPIFFE ids of the mesh's workloads: `spiffe://TRUST-DOMAIN/ns/NAMESPACE/svc/NAME`, from Consul's authority
// `spiffe://TRUST-DOMAIN/ns/NAMESPACE/dc/DATACENTER/svc/NAME` (the SPIFFE-ID specification, section 2, narrower where it allows more:
// nobody here has another form).

export interface Workload {
  readonly trustDomain: string;
  readonly namespace: string;
  /** Where ids name one. */
  readonly datacenter?: string;
  readonly service: string;
}

/** Where workloads are at home: all of an id but the service. */
export type Home = Omit<Workload, "service">;

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

/** How the ids of all workloads of a namespace begin, in the datacenter where there is one. */
export function namespacePrefix({ trustDomain, namespace, datacenter }: Home): string {
  const place = datacenter === undefined ? "" : `/dc/${datacenter}`;
  return `${PREFIX}${trustDomain}/ns/${namespace}${place}/svc/`;
}

/** The id of a workload. Throws RangeError where a part cannot stand in one. */
export function formatId({ service, ...home }: Workload): string {
  const id = namespacePrefix(home) + service;
  if (parseId(id) === undefined) throw new RangeError(`${JSON.stringify(id)} is no SPIFFE id`);
  return id;
}

/** What an id says; undefined for what is not of the mesh's form to the letter. */
export function parseId(id: string): Workload | undefined {
  if (id.length > MAX_ID || !id.startsWith(PREFIX)) return undefined;
  const [trustDomain = "", ns, namespace = "", ...rest] = id.slice(PREFIX.length).split("/");
  const datacenter = rest.length === 4 && rest[0] === "dc" ? rest[1] : undefined;
  const [svc, service = "", ...more] = datacenter === undefined ? rest : rest.slice(2);
  if (ns !== "ns" || svc !== "svc" || more.length > 0 || !isTrustDomain(trustDomain)) {
    return undefined;
  }
  if (![namespace, service, ...(datacenter === undefined ? [] : [datacenter])].every(isIdSegment)) {
    return undefined;
  }
  return { trustDomain, namespace, ...(datacenter === undefined ? {} : { datacenter }), service };
}

/** Whether two ids are of one service: its instances in other datacenters are the same service. */
export function isSameService(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [parseId(a), parseId(b)];
  return one !== undefined && other !== undefined && one.trustDomain === other.trustDomain &&
    one.namespace === other.namespace && one.service === other.service &&
    (one.datacenter === undefined) === (other.datacenter === undefined);
}

/** An id, or the beginning of ids, with `*` for its datacenter; the same text where it names none. */
export function anyDatacenter(id: string): string {
  return id.replace(/^(spiffe:\/\/[^/]+\/ns\/[^/]+\/dc\/)[^/]+/, "$1*");
}

export function isWorkloadId(id: string): boolean {
  return parseId(id) !== undefined;
}
