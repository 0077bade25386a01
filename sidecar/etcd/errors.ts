/** etcd refused, or did not answer. The message is for the operator and holds nothing that was sent. */
export class EtcdError extends Error {
  override readonly name = "EtcdError";
}
