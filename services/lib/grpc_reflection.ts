// Server reflection, v1 and v1alpha alike: answers which services there are and what their files say.

import { type ServerDuplexStream, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { DescribedFile } from "./descriptors.ts";

/** Exactly one of the optional fields is there: the question. */
interface Question {
  readonly fileByFilename?: string;
  readonly fileContainingSymbol?: string;
  readonly fileContainingExtension?: {
    readonly containingType: string;
    readonly extensionNumber: number;
  };
  readonly allExtensionNumbersOfType?: string;
  readonly listServices?: string;
}

type Answer =
  | { readonly fileDescriptorResponse: { readonly fileDescriptorProto: readonly Uint8Array[] } }
  | {
    readonly allExtensionNumbersResponse: {
      readonly baseTypeName: string;
      readonly extensionNumber: readonly number[];
    };
  }
  | { readonly listServicesResponse: { readonly service: readonly { readonly name: string }[] } }
  | { readonly errorResponse: { readonly errorCode: number; readonly errorMessage: string } };

interface Reflected {
  /** Full names of the services that are served. */
  readonly services: readonly string[];
  /** Their files and all that these import. */
  readonly files: readonly DescribedFile[];
}

/** The handlers of either version. */
export function reflectionHandlers(reflected: Reflected): UntypedServiceImplementation {
  return {
    ServerReflectionInfo: (call: ServerDuplexStream<Question, object>) => {
      call.on("data", (question: Question) => {
        const answer = { originalRequest: question, ...answerTo(question, reflected) };
        if (call.write(answer)) return;
        // Somebody asks and does not listen.
        call.pause();
        call.once("drain", () => call.resume());
      });
      call.on("end", () => call.end());
    },
  };
}

function answerTo(question: Question, { services, files }: Reflected): Answer {
  const { fileByFilename, fileContainingSymbol, fileContainingExtension } = question;
  if (question.listServices !== undefined) {
    return { listServicesResponse: { service: services.map((name) => ({ name })) } };
  }
  if (fileByFilename !== undefined) {
    return fileAnswer(files.find(({ name }) => name === fileByFilename), files);
  }
  if (fileContainingSymbol !== undefined) {
    return fileAnswer(files.find(({ symbols }) => symbols.includes(fileContainingSymbol)), files);
  }
  if (fileContainingExtension !== undefined) {
    const { containingType, extensionNumber } = fileContainingExtension;
    const isIt = ({ type, number }: { type: string; number: number }) =>
      type === containingType && number === extensionNumber;
    return fileAnswer(files.find(({ extensions }) => extensions.some(isIt)), files);
  }
  if (question.allExtensionNumbersOfType !== undefined) {
    return extensionsAnswer(question.allExtensionNumbersOfType, files);
  }
  return errorAnswer(status.INVALID_ARGUMENT, "an empty question");
}

/** The file comes first, what it imports after it. */
function fileAnswer(file: DescribedFile | undefined, files: readonly DescribedFile[]): Answer {
  if (file === undefined) return errorAnswer(status.NOT_FOUND, "not found");
  const needed = new Set([file.name]);
  // A set hands out what is added to it on the way.
  for (const name of needed) {
    files.find((other) => other.name === name)?.imports.forEach((other) => needed.add(other));
  }
  const fileDescriptorProto = [...needed].flatMap((name) =>
    files.find((other) => other.name === name)?.bytes ?? []
  );
  return { fileDescriptorResponse: { fileDescriptorProto } };
}

function extensionsAnswer(baseTypeName: string, files: readonly DescribedFile[]): Answer {
  if (!files.some(({ symbols }) => symbols.includes(baseTypeName))) {
    return errorAnswer(status.NOT_FOUND, "not found");
  }
  const extensionNumber = files.flatMap(({ extensions }) =>
    extensions.filter(({ type }) => type === baseTypeName).map(({ number }) => number)
  );
  return { allExtensionNumbersResponse: { baseTypeName, extensionNumber } };
}

function errorAnswer(errorCode: number, errorMessage: string): Answer {
  return { errorResponse: { errorCode, errorMessage } };
}
