import { assertEquals, assertThrows } from "@std/assert";
import { formatId, isWorkloadId, namespacePrefix, parseId } from "./spiffe.ts";

const ID = "spiffe://mesh.local/ns/default/svc/user-service";

Deno.test("parseId reads back what formatId wrote", () => {
  const workload = { trustDomain: "mesh.local", namespace: "default", service: "user-service" };
  assertEquals(formatId(workload), ID);
  assertEquals(parseId(ID), workload);
});

Deno.test("formatId refuses parts that would make another id", () => {
  const good = { trustDomain: "mesh.local", namespace: "default", service: "user-service" };
  for (
    const bad of [
      { trustDomain: "Mesh.local" },
      { trustDomain: "mesh.local:443" },
      { trustDomain: "user@mesh.local" },
      { trustDomain: "" },
      { namespace: ".." },
      { namespace: "" },
      { service: "user/service" },
      { service: "user%2Fservice" },
      { service: "." },
      { service: "user service" },
    ]
  ) assertThrows(() => formatId({ ...good, ...bad }), RangeError);
});

Deno.test("parseId refuses what is not of the mesh's form to the letter", () => {
  for (
    const id of [
      "",
      "spiffe://mesh.local",
      "spiffe://mesh.local/",
      "spiffe:///ns/default/svc/user-service",
      "SPIFFE://mesh.local/ns/default/svc/user-service",
      "https://mesh.local/ns/default/svc/user-service",
      `${ID}/`,
      `${ID}/more`,
      `${ID}?query`,
      `${ID}#fragment`,
      `${ID}\0`,
      "spiffe://mesh.local/ns/default/svc/../svc/user-service",
      "spiffe://mesh.local/svc/user-service/ns/default",
      "spiffe://mesh.local//ns/default/svc/user-service",
      `spiffe://mesh.local/ns/default/svc/${"x".repeat(3000)}`,
      "spiffe://mesh.local/ns/default/svc/usér",
    ]
  ) assertEquals(isWorkloadId(id), false, id);
});

Deno.test("namespacePrefix begins the ids of its namespace and of no other", () => {
  const prefix = namespacePrefix({ trustDomain: "mesh.local", namespace: "default" });
  const idIn = (namespace: string) =>
    formatId({ trustDomain: "mesh.local", namespace, service: "user-service" });
  assertEquals(idIn("default").startsWith(prefix), true);
  assertEquals(idIn("default2").startsWith(prefix), false);
  assertEquals(idIn("defaul").startsWith(prefix), false);
});
