import { SYSTEM_RIGHTS, type SystemRight } from "../../auth/right.ts";
import { routersOf, type WebOptions } from "../../web/app.ts";
import type { Need } from "../../web/state.ts";

export interface Route {
  readonly method: string;
  readonly path: string;
  /** The right in front of it. */
  readonly right: SystemRight | undefined;
}

/** As it stands in the list of doors. */
export const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

/** Every route of the API, with the right that its first handler asks for. */
export function routesOf(options: WebOptions): readonly Route[] {
  const rights = new WeakMap<object, SystemRight>();
  const need: Need = (right) => {
    const check = (): Promise<void> => Promise.resolve();
    rights.set(check, right);
    return check;
  };
  return routersOf(options, need).flatMap((router) =>
    router.stack.flatMap(({ methods, path, stack }) =>
      methods
        .filter((method) => method !== "HEAD")
        .map((method) => ({
          method,
          path: String(path).replace(/(?<=.)\/$/, ""),
          right: rights.get(stack[0] as unknown as object),
        })),
    ),
  );
}

/** Whether a door asks for a right over the product. */
export function isOverProduct(needs: string): needs is SystemRight {
  return Object.hasOwn(SYSTEM_RIGHTS, needs);
}
