// Elements in one call. Text is set as text, never as HTML: a model's words may be anything.

type Child = Node | string | null | undefined | false;
type Handler = (event: never) => void;
type Attributes = Record<string, string | number | boolean | Handler | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as unknown as EventListener);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  fill(element, ...children);
  return element;
}

export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(
    ...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false),
  );
}

/** `fill`, but for the place of the focus in it: who tabs through a list goes on in the next one. */
export function refill(element: Element, child: Child): void {
  const places = () => [...element.querySelectorAll<HTMLElement>("button, a[href]")];
  const place = places().findIndex((item) => item === document.activeElement);
  fill(element, child);
  if (place >= 0) places()[place]?.focus();
}

/** Runs the last of many calls, `ms` after it; what an earlier one answers is dropped. */
export function latest<T>(ms: number, ask: () => Promise<T>, show: (found: T) => void, fail: (error: unknown) => void) {
  let timer = 0;
  let asked = 0;
  return (soon = false) => {
    clearTimeout(timer);
    const number = ++asked;
    timer = window.setTimeout(
      async () => {
        try {
          const found = await ask();
          if (number === asked) show(found);
        } catch (error) {
          if (number === asked) fail(error);
        }
      },
      soon ? 0 : ms,
    );
  };
}
