import js from "@eslint/js";
import globals from "globals";

const ours = {
  languageOptions: { ecmaVersion: 2021, sourceType: "module" }, // what the oldest tablets can read
  linterOptions: { reportUnusedDisableDirectives: "error" },
  rules: {
    ...js.configs.recommended.rules,
    eqeqeq: "error",
    "no-console": "error", // a client's marks must not stand in a log
    "no-eval": "error", // the content security policy refuses it
    "no-implied-eval": "error",
    "no-shadow": ["error", { builtinGlobals: false }],
    "no-var": "error",
    "object-shorthand": "error",
    "prefer-const": "error",
    "no-unused-vars": ["error", { args: "all", argsIgnorePattern: "^_", ignoreRestSiblings: true }],
  },
};

export default [
  {
    ...ours,
    files: ["static/**/*.js"],
    ignores: ["static/vendor/**"],
    languageOptions: { ...ours.languageOptions, globals: globals.browser },
  },
  {
    ...ours,
    files: ["var/javascript/worker.js"],
    languageOptions: { ...ours.languageOptions, globals: globals.serviceworker },
  },
];
