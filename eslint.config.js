import tseslint from "typescript-eslint";

// Biome formats and lints; ESLint adds only what needs types: promises that nobody waits for, switches that miss a case.
export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "**/*.{js,mjs,cjs}", "vitest.config.ts"] },
  {
    files: ["packages/**/*.ts"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: ["./tsconfig.test.json"], tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/only-throw-error": "error",
      "max-lines": ["error", { max: 600, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ["packages/**/*.test.ts"], rules: { "max-lines": ["error", { max: 800 }] } },
  {
    // One strict configuration, parsed once: nobody else reads the environment or prints.
    files: ["packages/howdah/src/**/*.ts"],
    ignores: ["**/*.test.ts", "**/testing/**", "packages/howdah/src/kernel/environment.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "read the environment through kernel/environment.ts" },
      ],
    },
  },
  {
    files: ["packages/howdah/src/**/*.ts"],
    ignores: ["**/*.test.ts", "packages/howdah/src/cli/render/**"],
    rules: { "no-console": "error" },
  },
);
