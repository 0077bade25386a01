// Rules between the settings of TLS at the edge.
import type { Path } from "./positions.ts";
import type { EdgeTlsDocument } from "./schema/edge_tls.ts";

type Report = (path: Path, message: string) => void;

/** What hstspreload.org asks of a name on its list. */
const PRELOAD_MS = 8760 * 3_600_000;

export function edgeTlsRules(tls: EdgeTlsDocument, path: Path, report: Report): void {
  certificateRules(tls, path, report);
  preloadRules(tls, [...path, "hsts"], report);
}

function certificateRules(tls: EdgeTlsDocument, path: Path, report: Report): void {
  const { cert, key, certificates } = tls;
  if (certificates !== undefined) {
    if (cert === undefined && key === undefined) return;
    report([...path, "certificates"], "cert and key beside it, expected one of the two forms");
  } else if (cert === undefined && key === undefined) {
    report(path, "no certificate, expected cert and key, or certificates");
  } else if (key === undefined) report([...path, "key"], "missing, expected the key of cert");
  else if (cert === undefined) {
    report([...path, "cert"], "missing, expected the certificate of key");
  }
}

/** A browser's own list is hard to get off again, and takes no name that promises less. */
function preloadRules({ hsts }: EdgeTlsDocument, path: Path, report: Report): void {
  if (hsts?.preload !== true) return;
  if (!hsts.includeSubdomains) {
    report(
      [...path, "preload"],
      "needs all names below this one, expected includeSubdomains: true",
    );
  }
  if (hsts.maxAge < PRELOAD_MS) {
    report([...path, "maxAge"], "too short for preload, expected at least 8760h");
  }
}
