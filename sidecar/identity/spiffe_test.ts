import { assertEquals, assertThrows } from "@std/assert";
import {
  anyDatacenter,
  formatId,
  isSameService,
  isWorkloadId,
  namespacePrefix,
  parseId,
} from "./spiffe.ts";

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

const CONSUL_ID = "spiffe://11-22.consul/ns/default/dc/dc1/svc/user-service";

Deno.test("an id of Consul's authority names a datacenter too", () => {
  const workload = {
    trustDomain: "11-22.consul",
    namespace: "default",
    datacenter: "dc1",
    service: "user-service",
  };
  assertEquals(formatId(workload), CONSUL_ID);
  assertEquals(parseId(CONSUL_ID), workload);
  for (
    const id of [
      "spiffe://11-22.consul/ns/default/dc/svc/user-service",
      "spiffe://11-22.consul/ns/default/dc//svc/user-service",
      "spiffe://11-22.consul/ns/default/dc/*/svc/user-service",
      "spiffe://11-22.consul/ns/default/dx/dc1/svc/user-service",
      "spiffe://11-22.consul/ns/default/dc/dc1/svc/user-service/dc/dc2",
      "spiffe://11-22.consul/agent/client/dc/dc1/id/node",
    ]
  ) assertEquals(isWorkloadId(id), false, id);
});

Deno.test("isSameService takes a service's instances in other datacenters, and nobody else", () => {
  assertEquals(isSameService(ID, ID), true);
  assertEquals(isSameService(CONSUL_ID, CONSUL_ID.replace("dc1", "dc2")), true);
  for (
    const other of [
      CONSUL_ID.replace("user-service", "payment-service"),
      CONSUL_ID.replace("11-22", "33-44"),
      CONSUL_ID.replace("default", "team"),
      CONSUL_ID.replace("/dc/dc1", ""),
      "spiffe://11-22.consul",
    ]
  ) assertEquals(isSameService(CONSUL_ID, other), false, other);
});

Deno.test("anyDatacenter leaves an id without a datacenter as it is", () => {
  assertEquals(anyDatacenter(ID), ID);
  assertEquals(anyDatacenter(CONSUL_ID), CONSUL_ID.replace("/dc1/", "/*/"));
});
