// The gRPC face of the user service: GetUser and ListUsers of proto/user.proto. Knows no database, only its interface.

import { status } from "@grpc/grpc-js";
import { readPage } from "../lib/fields.ts";
import { GrpcError, pageQuery } from "../lib/grpc_method.ts";
import type { GrpcService } from "../lib/grpc_server.ts";
import type { User, UserStore } from "./store.ts";

interface UserMessage {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly age: number;
}

/**
 * The listing is the one of the guide that this project follows: 100 users, of whom the i-th, counted from 0, is of age
 * 20+i. It is cut from the users that HTTP lists, who are the same people in the same order, but more, and all 25.
 */
const listing = { total: 100, firstAge: 20 } as const;

/** The service to hand to a server. */
export function userGrpc(store: UserStore): GrpcService {
  return {
    file: "user.proto",
    name: "user.UserService",
    methods: {
      GetUser: (request: { readonly userId: string }) => getUser(store, request.userId),
      ListUsers: (request: { readonly page: number; readonly pageSize: number }) =>
        listUsers(store, request),
    },
  };
}

async function getUser(store: UserStore, userId: string): Promise<UserMessage> {
  const user = await store.find(userId);
  if (user === null) throw new GrpcError(status.NOT_FOUND, "user not found");
  return toMessage(user);
}

async function listUsers(
  store: UserStore,
  request: { readonly page: number; readonly pageSize: number },
): Promise<{ readonly users: readonly UserMessage[]; readonly total: number }> {
  const { page, pageSize } = readPage(pageQuery(request));
  const start = (page - 1) * pageSize;
  const { users } = await store.list({ page, pageSize });
  const listed = users.slice(0, Math.max(0, listing.total - start));
  return {
    users: listed.map((user, index) => ({
      ...toMessage(user),
      age: listing.firstAge + start + index,
    })),
    total: listing.total,
  };
}

function toMessage({ id, name, email, age }: User): UserMessage {
  return { userId: id, name, email, age };
}
