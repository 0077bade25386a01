// REST and JSON on one side, gRPC on the other, by the google.api.http rules of a pool's methods.
// Pure: it turns messages of our model into others; who sends them is the proxy's.
import { ConfigError, type ConfigProblem } from "../../errors.ts";
import type { Request, Response } from "../../http/message.ts";
import { type DescriptorPool, pathOfMethod } from "../descriptors.ts";
import { bindingError, bindingsOf, type HttpBinding } from "./http_binding.ts";
import { isHttpBody, RawReader } from "./http_body.ts";
import { JsonWriter } from "./json_writer.ts";
import { MessageBuilder } from "./message_builder.ts";
import { DEFAULT_OPTIONS, type TranscoderOptions } from "./options.ts";
import { overlaps } from "./path_template.ts";
import { type OtherMethods, PathTree } from "./path_tree.ts";
import { toGrpcRequest } from "./request.ts";
import { type ResponseParts, toRestResponse } from "./response.ts";

interface Entry {
  readonly http: HttpBinding;
  readonly response: ResponseParts;
}

/** What an HTTP request stands for. */
export interface Binding {
  /** The path of the gRPC call, `/package.Service/Method`. */
  readonly path: string;
  readonly entry: Entry;
  /** The path's segments as they came, and the query behind the question mark. */
  readonly segments: readonly string[];
  readonly query: string;
}

export class Transcoder {
  readonly #pool: DescriptorPool;
  readonly #options: TranscoderOptions;
  readonly #tree = new PathTree<Entry>();
  readonly #bindings: HttpBinding[] = [];

  private constructor(pool: DescriptorPool, options: TranscoderOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** Throws ConfigError with every rule that makes no sense, or that another rule has taken already. */
  static of(pool: DescriptorPool, options: Partial<TranscoderOptions> = {}): Transcoder {
    const transcoder = new Transcoder(pool, { ...DEFAULT_OPTIONS, ...options });
    const problems: ConfigProblem[] = [];
    for (const method of pool.services.flatMap((service) => service.methods)) {
      try {
        for (const binding of bindingsOf(pool, method)) transcoder.#add(binding);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        problems.push(...error.problems);
      }
    }
    if (problems.length > 0) throw new ConfigError(problems);
    return transcoder;
  }

  #add(http: HttpBinding): void {
    const { method, httpMethod, template, responseField } = http;
    const options = this.#options;
    const { registry } = this.#pool;
    const writer = new JsonWriter(method.output, responseField, registry, options);
    const raw = rawReaderOf(http);
    const entry: Entry = { http, response: { method, writer, raw, registry, options } };
    this.#bindings.push(http);
    if (this.#tree.add(httpMethod, template, entry)) return;
    throw bindingError(this.#pool, method, `${httpMethod} on this path is taken by another rule`);
  }

  /** Whether any request can stand for a call whose path is of a route's pattern and whose method is among `methods` (empty: any). */
  reaches(pattern: string, methods: readonly string[]): boolean {
    return this.#bindings.some(({ httpMethod, template }) => {
      const isMet = methods.length === 0 || httpMethod === "*" || methods.includes(httpMethod);
      return isMet && overlaps(template, pattern);
    });
  }

  /** The call that a request stands for; where the path knows only other methods, those (405); null where it knows none (404). */
  match(method: string, target: string): Binding | OtherMethods | null {
    const question = target.indexOf("?");
    const path = question < 0 ? target : target.slice(0, question);
    const found = this.#tree.find(method, path);
    if (found === null || "allow" in found) return found;
    const query = question < 0 ? "" : target.slice(question + 1);
    const { value: entry, segments } = found;
    return { path: pathOfMethod(entry.http.method), entry, segments, query };
  }

  /**
   * The gRPC request for a REST request. A call with one request message waits for the whole body; a streaming one takes
   * NDJSON or one JSON array and passes each item on as it comes, and its body throws where an item is wrong.
   * A body that stands for google.api.HttpBody is taken as it is. Throws ProxyError `bad-request` that names the field, or
   * `payload-too-large`.
   */
  async request(binding: Binding, request: Request): Promise<Request> {
    const { entry: { http }, segments, query } = binding;
    const builder = new MessageBuilder(http, segments, query, this.#pool, this.#options);
    return await toGrpcRequest(http, builder, request, this.#options.maxMessageBytes);
  }

  /**
   * The REST answer for a gRPC response. `request` is the REST request. Waits for the first message or the status: an
   * error until then is google.rpc.Status as JSON with its HTTP status. One message is one JSON body; a stream is NDJSON,
   * or server-sent events where the request accepts them, and an error within it is its last line or event. A
   * google.api.HttpBody is a body of its own type, and an error within a stream of them breaks it off.
   */
  async response(binding: Binding, request: Request, response: Response): Promise<Response> {
    return await toRestResponse(binding.entry.response, request, response);
  }
}

/** Where the answer is google.api.HttpBody by itself, neither one of several nor one of a oneof. */
function rawReaderOf({ method: { output }, responseField }: HttpBinding): RawReader | undefined {
  const isAlone = responseField === undefined ||
    responseField.fieldKind === "message" && responseField.oneof === undefined;
  const message = responseField === undefined ? output : responseField.message;
  return isAlone && isHttpBody(message) ? new RawReader(output, responseField) : undefined;
}
