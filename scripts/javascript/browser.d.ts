// What the checker does not know of a page: the elements of our templates, htmx's events, Plotly, new browsers.

interface ParentNode {
  querySelector<K extends keyof HTMLElementTagNameMap>(selectors: K): HTMLElementTagNameMap[K] | null;
  querySelector(selectors: "input[type=search]" | "input[type=range]"): HTMLInputElement | null;
  querySelector(selectors: ".account-menu[open]"): HTMLDetailsElement | null;
  querySelector(selectors: "[data-leave]"): HTMLAnchorElement | null;
  querySelector(selectors: "form[data-at-once]"): HTMLFormElement | null;
  querySelector(selectors: string): HTMLElement | null;
  querySelectorAll<K extends keyof HTMLElementTagNameMap>(selectors: K): NodeListOf<HTMLElementTagNameMap[K]>;
  querySelectorAll(selectors: ".account-menu[open]"): NodeListOf<HTMLDetailsElement>;
  querySelectorAll(selectors: "input[name=lazy]" | "input[type=radio]"): NodeListOf<HTMLInputElement>;
  querySelectorAll(selectors: string): NodeListOf<HTMLElement>;
}

interface Document {
  getElementById(elementId: "link" | "short-code" | "rating" | "preview"): HTMLFormElement | null;
  getElementById(elementId: "idle"): HTMLDialogElement | null;
  getElementById(elementId: "cleared" | "draft-offer"): HTMLTemplateElement | null;
}

interface HTMLFormControlsCollection {
  readonly [name: string]: any;
}

// Every listener for these stands at the document or at a form, and is told of an element.
interface DocumentEventMap {
  submit: SubmitEvent & { readonly target: HTMLFormElement };
  input: Event & { readonly target: HTMLInputElement };
  change: Event & { readonly target: HTMLInputElement };
  click: PointerEvent & { readonly target: HTMLElement };
  keydown: KeyboardEvent & { readonly target: HTMLElement };
  "htmx:beforeRequest": HtmxEvent;
  "htmx:afterRequest": HtmxEvent;
  "htmx:beforeSwap": HtmxEvent;
  "htmx:afterSettle": HtmxEvent;
  "htmx:sendError": HtmxEvent;
  "htmx:timeout": HtmxEvent;
  "htmx:responseError": HtmxEvent;
}

interface HtmxEvent extends Event {
  readonly target: HTMLElement;
  readonly detail: {
    elt: HTMLElement;
    xhr: XMLHttpRequest;
    pathInfo: { requestPath: string };
    requestConfig?: { verb: string; elt: Element; headers: Record<string, string> };
    shouldSwap: boolean;
  };
}

interface Window {
  Plotly?: { react(place: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<void> };
}

// What a policy makes is used in the place of a string, and is one to the checker.
type PolicyRules = { createHTML?(text: string): string | null; createScriptURL?(url: string): string | null };
declare var trustedTypes: undefined | {
  createPolicy(name: string, rules: PolicyRules): { createHTML(text: string): string; createScriptURL(url: string): string };
};

interface ServiceWorkerRegistration {
  readonly sync?: { register(tag: string): Promise<void> };
}
