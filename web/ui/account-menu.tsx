import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Session } from "./api.ts";
import { Factor } from "./pages/factor.tsx";
import { OwnPassword } from "./pages/passwords.tsx";
import { Tokens } from "./pages/tokens.tsx";

type Chosen = "password" | "tokens" | "factor";

/** Whoever is logged in, and what they do with their own account. */
export function AccountMenu(props: {
  readonly account: NonNullable<Session["account"]>;
  /** The session is another one, or none any more. */
  readonly onChange: () => void;
}): JSX.Element {
  const { account, onChange } = props;
  const menu = useRef<HTMLDetailsElement>(null);
  const [chosen, setChosen] = useState<Chosen | undefined>(undefined);
  useEffect(() => {
    const shut = (): void => {
      if (menu.current !== null) menu.current.open = false;
    };
    const outside = (event: Event): void => {
      if (!menu.current?.contains(event.target as Node)) shut();
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === "Escape") shut();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    document.addEventListener("keydown", key);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      document.removeEventListener("keydown", key);
    };
  }, []);
  const item = (title: string, act: () => void): JSX.Element => (
    <button
      type="button"
      class="quiet"
      onClick={() => {
        if (menu.current !== null) menu.current.open = false;
        act();
      }}
    >
      {title}
    </button>
  );
  return (
    <>
      <details class="account" ref={menu}>
        <summary>{account.name}</summary>
        <div class="items">
          {account.directory === true ? null : item("Password", () => setChosen("password"))}
          {item("Tokens", () => setChosen("tokens"))}
          {item("Second factor", () => setChosen("factor"))}
          {item("Log out", () => void api.logOut().then(onChange, onChange))}
        </div>
      </details>
      {chosen === "password" ? <OwnPassword onClose={() => setChosen(undefined)} /> : null}
      {chosen === "tokens" ? (
        <Tokens
          title="Your tokens"
          account={undefined}
          codesBy={account.codesBy}
          proves={account.recoveryCodesLeft === undefined ? "password" : "code"}
          onClose={() => setChosen(undefined)}
        />
      ) : null}
      {chosen === "factor" ? (
        <Factor
          codesLeft={account.recoveryCodesLeft}
          codesBy={account.codesBy}
          sentBy={[
            ...(account.mailCodes === true ? ["mail" as const] : []),
            ...(account.smsCodes === true ? ["sms" as const] : []),
          ]}
          mustHave={account.mustHaveFactor === true}
          onClose={() => {
            setChosen(undefined);
            onChange();
          }}
        />
      ) : null}
    </>
  );
}
