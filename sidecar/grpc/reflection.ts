// A server's own description of its services by grpc.reflection.v1: which questions to ask, and what the answers make.
// How a question reaches the server is not known here.
import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { ProxyError } from "../errors.ts";
import { DescriptorPool } from "./descriptors.ts";
import { knownFiles } from "./schema/known_files.ts";
import { linkFiles } from "./schema/link.ts";
import { fillJsonNames } from "./schema/json_names.ts";
import { parseProto } from "./schema/parse_file.ts";

/** The stream's path, and the one that older servers have; the messages are the same. */
export const REFLECTION_PATHS = [
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
] as const;

/** Sends one request message on a stream of its own, and returns the messages that come back. Neither is framed. */
export type ReflectionExchange = (request: Uint8Array) => Promise<readonly Uint8Array[]>;

export interface ReflectionLimits {
  readonly maxFiles: number;
  readonly maxBytes: number;
}

/** The largest public sets, such as that of Google's cloud, have about a thousand files; nobody serves all of them. */
const DEFAULT_LIMITS: ReflectionLimits = { maxFiles: 1000, maxBytes: 16 * 1024 * 1024 };

const PROTO = `syntax = "proto3";
package grpc.reflection.v1;
message ServerReflectionRequest {
  string host = 1;
  oneof message_request {
    string file_by_filename = 3;
    string file_containing_symbol = 4;
    string list_services = 7;
  }
}
message ServerReflectionResponse {
  string valid_host = 1;
  ServerReflectionRequest original_request = 2;
  oneof message_response {
    FileDescriptorResponse file_descriptor_response = 4;
    ListServiceResponse list_services_response = 6;
    ErrorResponse error_response = 7;
  }
}
message FileDescriptorResponse { repeated bytes file_descriptor_proto = 1; }
message ListServiceResponse { repeated ServiceResponse service = 1; }
message ServiceResponse { string name = 1; }
message ErrorResponse {
  int32 error_code = 1;
  string error_message = 2;
}`;

/** ServerReflectionResponse as its JSON, as far as it is used. */
interface Answer {
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto?: readonly string[] };
  readonly listServicesResponse?: { readonly service?: readonly { readonly name?: string }[] };
  readonly errorResponse?: { readonly errorCode?: number; readonly errorMessage?: string };
}

interface Schemas {
  readonly request: DescMessage;
  readonly answer: DescMessage;
}

let schemas: Schemas | undefined;

function reflectionSchemas(): Schemas {
  return schemas ??= compile();
}

function compile(): Schemas {
  const file = parseProto("grpc/reflection/v1/reflection.proto", PROTO);
  linkFiles(new Map([[file.proto.name, file]]));
  fillJsonNames(file.proto);
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file.proto] }));
  return {
    request: registry.getMessage("grpc.reflection.v1.ServerReflectionRequest")!,
    answer: registry.getMessage("grpc.reflection.v1.ServerReflectionResponse")!,
  };
}

/** Asks for all services and all files they need. Throws ProxyError where the server answers with an error, nonsense or too much. */
export async function reflect(
  exchange: ReflectionExchange,
  limits: ReflectionLimits = DEFAULT_LIMITS,
): Promise<DescriptorPool> {
  const run = new ReflectionRun(exchange, limits);
  for (const service of await run.services()) await run.addSymbol(service);
  await run.addImports();
  return DescriptorPool.ofFiles([...run.files.values()]);
}

class ReflectionRun {
  readonly files = new Map<string, FileDescriptorProto>();
  readonly #exchange: ReflectionExchange;
  readonly #limits: ReflectionLimits;
  #bytes = 0;

  constructor(exchange: ReflectionExchange, limits: ReflectionLimits) {
    this.#exchange = exchange;
    this.#limits = limits;
  }

  /** All but reflection itself, which is for tools. */
  async services(): Promise<string[]> {
    const { listServicesResponse } = await this.#ask({ listServices: "*" });
    if (listServicesResponse === undefined) throw broken("no list of services came");
    return (listServicesResponse.service ?? []).map(({ name = "" }) => name)
      .filter((name) => !name.startsWith("grpc.reflection."));
  }

  /** Servers may send what the file imports along with it. */
  async addSymbol(symbol: string): Promise<void> {
    this.#addFiles(await this.#ask({ fileContainingSymbol: symbol }), symbol);
  }

  /** A map hands out what is added while it is walked. */
  async addImports(): Promise<void> {
    for (const { dependency } of this.files.values()) {
      for (const name of dependency) {
        if (this.files.has(name) || knownFiles().files.has(name)) continue;
        this.#addFiles(await this.#ask({ fileByFilename: name }), name);
        if (!this.files.has(name)) throw broken(`"${name}" is missing in the answer for it`);
      }
    }
  }

  #addFiles(answer: Answer, what: string): void {
    const encoded = answer.fileDescriptorResponse?.fileDescriptorProto;
    if (encoded === undefined) throw broken(`no file came for "${what}"`);
    for (const text of encoded) {
      const file = decodeFile(base64Decode(text));
      if (!this.files.has(file.name)) this.files.set(file.name, file);
    }
    if (this.files.size > this.#limits.maxFiles) {
      throw broken(`more than ${this.#limits.maxFiles} files`);
    }
  }

  async #ask(question: JsonObject): Promise<Answer> {
    const { request, answer: schema } = reflectionSchemas();
    const [bytes] = await this.#exchange(toBinary(request, fromJson(request, question)));
    if (bytes === undefined) throw broken("no answer came");
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limits.maxBytes) {
      throw broken(`more than ${this.#limits.maxBytes} bytes`);
    }
    const answer = decodeAnswer(schema, bytes);
    const { errorResponse } = answer;
    if (errorResponse === undefined) return answer;
    const { errorCode = 0, errorMessage = "" } = errorResponse;
    throw broken(`${JSON.stringify(question)} failed with status ${errorCode}: ${errorMessage}`);
  }
}

function decodeAnswer(schema: DescMessage, bytes: Uint8Array): Answer {
  try {
    return toJson(schema, fromBinary(schema, bytes)) as Answer;
  } catch (cause) {
    throw broken("the answer is no ServerReflectionResponse", cause);
  }
}

function decodeFile(bytes: Uint8Array): FileDescriptorProto {
  try {
    return fromBinary(FileDescriptorProtoSchema, bytes);
  } catch (cause) {
    throw broken("the answer holds no FileDescriptorProto", cause);
  }
}

function broken(what: string, cause?: unknown): ProxyError {
  return new ProxyError("upstream-protocol", `reflection: ${what}`, { side: "upstream", cause });
}
