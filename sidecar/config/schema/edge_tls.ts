// TLS at the edge: certificates, who must show one, the plain port that sends browsers over, and HSTS.
import * as z from "zod";
import { byDefault, flag, list, section } from "./fields.ts";
import { anyText, bindAddress, duration } from "./scalars.ts";

const FILE = "the path of a file";
const PORT = "a port from 1 to 65535";

const certificate = section({ description: "A certificate and its key." }, {
  cert: anyText("Path of the certificate: PEM, leaf first, then intermediates.", FILE),
  key: anyText("Path of its private key: PEM.", FILE),
});

const clientCertificates = section({ description: "Clients show a certificate of their own." }, {
  trustBundle: anyText("Path of the authorities that are believed: PEM.", FILE),
  require: byDefault(
    "gateway.tls.clientCertificates.require",
    flag("Whether a client without one is refused."),
  ),
});

const redirect = section({
  description: "A plain port that sends every request on to https by 308.",
}, {
  bind: byDefault("gateway.tls.redirect.bind", bindAddress("Where clients call without TLS.")),
  httpsPort: z.int({ error: `expected ${PORT}` })
    .min(1, { error: `expected ${PORT}` }).max(65_535, { error: `expected ${PORT}` })
    .meta({
      description: "The port at which clients reach the edge; default: that of gateway.bind.",
    })
    .optional(),
});

const hsts = section({
  description: "Tells browsers to come by https alone (RFC 6797).",
}, {
  maxAge: byDefault(
    "gateway.tls.hsts.maxAge",
    duration("How long they keep to it; 0 makes them forget.", { maxMs: Number.MAX_SAFE_INTEGER }),
  ),
  includeSubdomains: byDefault(
    "gateway.tls.hsts.includeSubdomains",
    flag("Whether it holds for all names below this one."),
  ),
  preload: byDefault(
    "gateway.tls.hsts.preload",
    flag("Whether browsers may ship with the name on their list."),
  ),
});

/** Certificates in exactly one form; the rule stands in edge_tls_rules.ts for a message and here for editors. */
export const edgeTls = section({
  description: "HTTPS at the edge; left out: plain HTTP. The files are watched.",
}, {
  cert: anyText("Path of the certificate: PEM, leaf first, then intermediates.", FILE).optional(),
  key: anyText("Path of its private key: PEM.", FILE).optional(),
  certificates: list(
    "Several, each for the names that it bears; the first one also for all others.",
    certificate,
    1,
  ).optional(),
  clientCertificates: clientCertificates.optional(),
  redirect: redirect.optional(),
  hsts: hsts.optional(),
}).meta({ oneOf: [{ required: ["cert", "key"] }, { required: ["certificates"] }] });

export type EdgeTlsDocument = z.output<typeof edgeTls>;
