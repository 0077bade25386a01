// The section identity: who this sidecar is to others, and where that comes from.
import { byDefault, choice, section } from "./fields.ts";
import { consulAccess } from "./registry.ts";
import { anyText, consulAddress, duration, idSegment, trustDomain } from "./scalars.ts";

const PEM_PATH = "the path of a PEM file";

export const selfSigned = section({ description: "An authority of its own in a directory." }, {
  directory: byDefault(
    "identity.selfSigned.directory",
    anyText("Path, relative to the current directory.", "a path of a directory"),
  ),
  leafLife: byDefault(
    "identity.selfSigned.leafLife",
    duration("How long a certificate is good; a new one comes at two thirds of it.", {
      positive: true,
    }),
  ),
});

const identityFiles = section({ description: "PEM files that somebody else keeps fresh." }, {
  certificate: anyText("Path of the certificate, leaf first, then intermediates.", PEM_PATH),
  key: anyText("Path of its private key.", PEM_PATH),
  trustBundle: anyText("Path of the roots that are trusted, one or several.", PEM_PATH),
});

const connect = section({ description: "The authority of Consul Connect." }, {
  address: consulAddress(
    "Where the agent answers; left out: everything as in registry.consul, else as its defaults.",
  ).optional(),
  ...consulAccess,
  cache: section({ description: "What starts without Consul begin with." }, {
    directory: byDefault(
      "identity.consul.cache.directory",
      anyText("Path, relative to the current directory.", "a path of a directory"),
    ),
  }).prefault({}),
});

/** One source at most; the rule stands in rules.ts for a message and here for editors. */
export const identity = section({ description: "mTLS between sidecars." }, {
  mode: byDefault(
    "identity.mode",
    choice(
      "strict: mTLS only; permissive: plain callers and endpoints too, while a mesh moves over; off: plain.",
      ["strict", "permissive", "off"],
    ),
  ),
  trustDomain: byDefault("identity.trustDomain", trustDomain("Whose authority vouches.")),
  namespace: byDefault("identity.namespace", idSegment("The part of the mesh this is in.")),
  selfSigned: selfSigned.optional(),
  files: identityFiles.optional(),
  consul: connect.optional(),
}).meta({
  not: {
    anyOf: [
      { required: ["selfSigned", "files"] },
      { required: ["selfSigned", "consul"] },
      { required: ["files", "consul"] },
    ],
  },
});
