// Which of gRPC's protocols a message speaks, by its content-type.
import type { Request } from "../http/message.ts";

/** The media type alone, in lower case, without parameters. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined) return "";
  const end = contentType.indexOf(";");
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** `type` itself, or with a message format behind a plus, such as `+proto` or `+json`. */
function isFamily(contentType: string | undefined, type: string): boolean {
  const found = mediaTypeOf(contentType);
  return found === type || found.startsWith(type) && found[type.length] === "+";
}

/** gRPC over HTTP/2: `application/grpc`, `application/grpc+proto` ... */
export function isGrpc(contentType: string | undefined): boolean {
  return isFamily(contentType, "application/grpc");
}

/** Only HTTP/2 brings gRPC; what we make of another protocol's request says that it is HTTP/2 too. */
export function isGrpcRequest({ version, headers }: Request): boolean {
  return version === "2" && isGrpc(headers.get("content-type"));
}

/** gRPC-Web in binary: `application/grpc-web`, `application/grpc-web+proto` ... */
export function isGrpcWeb(contentType: string | undefined): boolean {
  return isFamily(contentType, "application/grpc-web");
}

/** gRPC-Web in base64: `application/grpc-web-text`, `application/grpc-web-text+proto` ... */
export function isGrpcWebText(contentType: string | undefined): boolean {
  return isFamily(contentType, "application/grpc-web-text");
}

/** Whether a list as in `accept` names `type` (RFC 9110 12.5.1); a weight of zero refuses it. */
export function acceptsMediaType(accept: string | undefined, type: string): boolean {
  if (accept === undefined) return false;
  return accept.split(",").some((item) => mediaTypeOf(item) === type && !isRefused(item));
}

function isRefused(item: string): boolean {
  return item.split(";").some((parameter) => {
    const [name = "", value = ""] = parameter.split("=");
    return name.trim().toLowerCase() === "q" && Number(value) === 0;
  });
}
