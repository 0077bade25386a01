// The section registry: where services announce themselves and find each other.
import * as z from "zod";
import { SERVICE_NAME, SERVICE_NAME_PATTERN } from "../patterns.ts";
import { byDefault, choice, flag, list, section, table } from "./fields.ts";
import { anyText, consulAddress, dialAddress, duration, label, secretText } from "./scalars.ts";

const files = section({ description: "A directory that the sidecars of one host share." }, {
  directory: byDefault(
    "registry.files.directory",
    anyText("Path, relative to the current directory.", "a path of a directory"),
  ),
});

const addressesOfServices = table(
  {
    description: "Service name to the inbound addresses of its sidecars.",
    pattern: SERVICE_NAME_PATTERN,
  },
  SERVICE_NAME,
  list("Inbound addresses.", dialAddress("One address.")),
).meta({ examples: [{ "user-service": ["127.0.0.1:15106"] }] });

const check = section({ description: "How the agent finds out whether this instance lives." }, {
  mode: byDefault(
    "registry.consul.check.mode",
    choice("http: the agent asks the health port. ttl: this sidecar tells the agent.", [
      "http",
      "ttl",
    ]),
  ),
  interval: byDefault(
    "registry.consul.check.interval",
    duration("Between two checks; with ttl, the silence after which the instance counts as down.", {
      positive: true,
    }),
  ),
  timeout: byDefault(
    "registry.consul.check.timeout",
    duration("How long the health port may take.", { positive: true }),
  ),
  deregisterAfter: byDefault(
    "registry.consul.check.deregisterAfter",
    duration("How long an instance may be down before Consul takes it out.", { positive: true }),
  ),
});

/** What an agent may ask for; shared with identity.consul. */
export const consulAccess = {
  token: secretText("ACL token; empty: none.").optional(),
  tokenFile: anyText("File with the ACL token; read again when it changes.", "a path").optional(),
  namespace: label("Namespace of Consul Enterprise.").optional(),
  ca: anyText("PEM file of the authorities that signed the agent's certificate.", "a path")
    .optional(),
  certificate: anyText("PEM file of a client certificate.", "a path").optional(),
  key: anyText("PEM file of its key.", "a path").optional(),
};

export const consulSection = section({ description: "The Consul agent beside this sidecar." }, {
  address: byDefault("registry.consul.address", consulAddress("Where the agent answers.")),
  ...consulAccess,
  datacenter: label("Where services are looked for; default: where the agent is.").optional(),
  failoverDatacenters: byDefault(
    "registry.consul.failoverDatacenters",
    list("Asked in this order while those before have no instance.", label("A datacenter.")),
  ),
  stale: byDefault(
    "registry.consul.stale",
    flag("Whether any server may answer, not only the leader."),
  ),
  grace: byDefault(
    "registry.consul.grace",
    duration("After a restart of Consul: how long endpoints that it does not name yet are kept."),
  ),
  check: check.prefault({}),
  cache: section({ description: "What starts without Consul begin with." }, {
    directory: byDefault(
      "registry.consul.cache.directory",
      anyText("Path, relative to the current directory.", "a path of a directory"),
    ),
  }).prefault({}),
});

/** Exactly one backend; the rule stands in registry_rules.ts for a message and here for editors. */
export const registry = section(
  { description: "Where services announce themselves: exactly one backend." },
  {
    files: files.optional(),
    static: addressesOfServices.optional(),
    consul: consulSection.optional(),
  },
).meta({
  oneOf: [{ required: ["files"] }, { required: ["static"] }, { required: ["consul"] }],
});

export type RegistryDocument = z.output<typeof registry>;
