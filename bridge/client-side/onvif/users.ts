import type { Account } from "../../../auth/account.ts";
import { foldedName } from "../../../auth/account-name.ts";
import type { Accounts } from "../../../auth/accounts.ts";
import type { SecondPerson } from "../../../auth/approval.ts";
import type { Audit } from "../../../auth/audit.ts";
import { ManagedAccounts } from "../../../auth/managed.ts";
import { assertGoodPassword } from "../../../auth/password.ts";
import { isFault } from "../../../base/fault.ts";
import { Secret } from "../../../base/secret.ts";
import type { Handlers, KnownCall } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { DEVICE } from "../../../wsdl/tables/tds.ts";
import type { User } from "../../../wsdl/tables/tt-device.ts";

const LIMITS = {
  /** Of one request: each costs a write of the database, and its line in the audit log. */
  users: 32,
  nameCharacters: 64,
  passwordBytes: 1024,
} as const;

export const USER_LEVELS = ["Administrator", "Operator", "User"] as const;
export type UserLevel = (typeof USER_LEVELS)[number];

/** The accounts as ONVIF's users. */
export interface OnvifUsers {
  readonly accounts: Accounts;
  readonly approvals: SecondPerson;
  readonly audit: Audit;
  /** The id of the role that each level stands for. Empty: users are told of, and not made or changed. */
  readonly levels: ReadonlyMap<UserLevel, string>;
}

type UserHandlers = Pick<Handlers<typeof DEVICE>, "GetUsers" | "CreateUsers" | "SetUser" | "DeleteUsers">;
type Asked = ValueOf<typeof User>;

/** Said in the capabilities of the device service. */
export const USER_CAPABILITIES = { MaxUserNameLength: LIMITS.nameCharacters, MaxPasswordLength: LIMITS.passwordBytes };

/**
 * ONVIF's users (Core 8.4). A user of a level is the account of an external system with the role that stands for it, and nothing else: these
 * are made, changed and removed here. All others are `Extended`, and fixed: people, whose passwords belong to the pages, accounts of
 * directories, and systems with other rights. Who asks has been found to manage accounts; each change stands in the audit log, and what makes an
 * administrator waits for a second person where that is set. Several in one request are made or removed together or not at all; they are changed one
 * after the other, and what was changed before one that fails stays so.
 */
export function userHandlers(users: OnvifUsers | undefined): UserHandlers {
  const changing = (
    { who, peer }: KnownCall,
    names: readonly string[],
  ): OnvifUsers & { readonly managed: ManagedAccounts } => {
    if (users === undefined || users.levels.size === 0)
      throw new SoapFault("invalid", "Receiver", ["ActionNotSupported"], "No roles are set for the levels of users");
    const { accounts, audit, approvals } = users;
    assertNames(names);
    // Or the first would be done while the second waits.
    if (names.length > 1 && approvals.waits("grant-administrator"))
      throw new SoapFault("invalid", "Sender", ["InvalidArgVal"], "One user at a time, where a second person is asked");
    const asker = { principal: who, who: who.name, interface: "onvif", address: peer.address } as const;
    return { ...users, managed: new ManagedAccounts(accounts, audit, approvals, asker) };
  };

  return {
    GetUsers: () => ({ User: (users?.accounts.list() ?? []).map((account) => shown(account, users?.levels)) }),

    async CreateUsers({ User: asked }, call) {
      const { accounts, levels, managed } = changing(
        call,
        asked.map(({ Username }) => Username),
      );
      const wanted = asked.map(({ Username: name, Password, UserLevel: level }) => {
        if (accounts.named(name) !== undefined) throw prohibited("UsernameClash", "There is a user of that name");
        assertName(name);
        return { name, roles: [roleOf(levels, level)], secret: passwordOf(name, Password ?? "", call, "Password") };
      });
      const made: Account[] = [];
      try {
        for (const one of wanted) made.push((await managed.createIntegration({ ...one, grants: [] })).account);
      } catch (error) {
        // All of them, or none.
        await managed.remove(made.map(({ id }) => id));
        throw error;
      }
      return {};
    },

    async SetUser({ User: asked }, call) {
      const { accounts, levels, managed } = changing(
        call,
        asked.map(({ Username }) => Username),
      );
      const wanted = asked.map(({ Username: name, Password, UserLevel: level }) => ({
        account: changeable(accounts, levels, name, call),
        role: roleOf(levels, level),
        secret: Password === undefined ? undefined : passwordOf(name, Password, call, "PasswordTooWeak"),
      }));
      for (const { account, role } of wanted)
        if (!account.roles.includes(role))
          await managed.change(account.id, (now) => {
            // Somebody may have given it other rights meanwhile.
            if (levelOf(now, levels) === undefined) throw fixed();
            return { roles: [role] };
          });
      for (const { account, secret } of wanted)
        if (secret !== undefined) await managed.renewSecret(account.id, 0, secret);
      return {};
    },

    async DeleteUsers({ Username: names }, call) {
      const { accounts, levels, managed } = changing(call, names);
      const all = names.map((name) => changeable(accounts, levels, name, call));
      await managed.remove(
        all.map(({ id }) => id),
        // Somebody may have given it other rights meanwhile.
        (now) => {
          if (levelOf(now, levels) === undefined) throw fixed();
        },
      );
      return {};
    },
  };
}

function shown(account: Account, levels: OnvifUsers["levels"] = new Map()): Asked {
  const { name, roles, directory } = account;
  const level = levelOf(account, levels);
  if (level !== undefined) return { Username: name, UserLevel: level };
  const Roles = [...roles, ...(directory?.roles ?? [])];
  return { Username: name, UserLevel: "Extended", ...(Roles.length === 0 ? {} : { Extension: { Roles } }) };
}

/** The level of a system with the role of one and nothing else; undefined of all others. */
function levelOf({ kind, roles, grants, directory }: Account, levels: OnvifUsers["levels"]): UserLevel | undefined {
  if (kind !== "integration" || directory !== undefined || grants.length > 0 || roles.length !== 1) return undefined;
  return USER_LEVELS.find((level) => levels.get(level) === roles[0]);
}

/** Not the one that asks either: it could not undo what it does to itself. */
function changeable(accounts: Accounts, levels: OnvifUsers["levels"], name: string, { who }: KnownCall): Account {
  const account = accounts.named(name);
  if (account === undefined)
    throw new SoapFault("not-found", "Sender", ["InvalidArgVal", "UsernameMissing"], "There is no such user");
  if (levelOf(account, levels) === undefined || account.id === who.accountId) throw fixed();
  return account;
}

function fixed(): SoapFault {
  return new SoapFault("invalid", "Sender", ["InvalidArgVal", "FixedUser"], "That user is not changed by ONVIF");
}

function roleOf(levels: OnvifUsers["levels"], level: Asked["UserLevel"]): string {
  if (level === "Anonymous") throw prohibited("AnonymousNotAllowed", "Nobody comes without an account");
  const role = USER_LEVELS.some((one) => one === level) ? levels.get(level as UserLevel) : undefined;
  if (role === undefined) throw new SoapFault("invalid", "Sender", ["InvalidArgVal"], "No role is set for that level");
  return role;
}

function assertName(name: string): void {
  if (name.length > LIMITS.nameCharacters) throw prohibited("UsernameTooLong", "A name has up to 64 characters");
  if (name === "") throw prohibited("UsernameTooShort", "A name has a character at least");
}

/** However they are spelt. */
function assertNames(names: readonly string[]): void {
  if (names.length > LIMITS.users) throw new SoapFault("invalid", "Sender", ["InvalidArgVal"], "Too many at one time");
  if (new Set(names.map(foldedName)).size < names.length)
    throw prohibited("UsernameClash", "The same user stands there twice");
}

/** `weak`: what the fault for a weak one is called, which differs by operation. */
function passwordOf(name: string, password: string, { peer }: KnownCall, weak: "Password" | "PasswordTooWeak"): Secret {
  if (!peer.tls) throw prohibited("Password", "A password is taken inside TLS alone: anybody could read it here");
  if (Buffer.byteLength(password) > LIMITS.passwordBytes)
    throw prohibited("PasswordTooLong", "A password has up to 1024 bytes");
  const secret = new Secret(password);
  try {
    assertGoodPassword(name, secret);
  } catch (error) {
    if (isFault(error, "invalid")) throw prohibited(weak, error.tell ?? "The password is too weak", error);
    throw error;
  }
  return secret;
}

function prohibited(what: string, tell: string, cause?: unknown): SoapFault {
  return new SoapFault("invalid", "Sender", ["OperationProhibited", what], tell, { cause });
}
