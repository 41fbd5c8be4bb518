// SPDX-License-Identifier: Apache-2.0
// Puts calls that record coverage into AssemblyScript source: at the start of each function, before
// each statement and switch case, around each condition. Lines stay where they were.

import ts from "typescript";

export type PointKind = "function" | "statement" | "condition";

/** A place of the source that a launch reaches or not. */
export interface Point {
  readonly id: number;
  readonly kind: PointKind;
  /** File name in bootdomain/assembly/. */
  readonly file: string;
  /** The function that it is in. */
  readonly within: string;
  readonly line: number;
  readonly column: number;
  /** Its source, the first line of it if it is a statement. */
  readonly text: string;
}

/** Conditions that decide one thing together. */
export interface Decision {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Ids of its conditions, in the order of evaluation. */
  readonly conditions: readonly number[];
  /**
   * Whether only && joins its conditions, or only ||, or it has but one. Then each condition that
   * was evaluated to true and to false has decided alone once: that is MC/DC.
   */
  readonly pure: boolean;
}

export interface Instrumented {
  readonly text: string;
  readonly points: readonly Point[];
  readonly decisions: readonly Decision[];
}

const logical = new Map([
  [ts.SyntaxKind.AmpersandAmpersandToken, "and"],
  [ts.SyntaxKind.BarBarToken, "or"],
] as const as readonly [ts.SyntaxKind, "and" | "or"][]);

/** The source of `file` with its points, which are counted from `firstId`. */
export function instrument(text: string, file: string, firstId: number): Instrumented {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const points: Point[] = [];
  const decisions: Decision[] = [];
  const insertions: { readonly at: number; readonly text: string }[] = [];
  let within = "";

  const insert = (at: number, added: string): void => void insertions.push({ at, text: added });
  const lineOf = (node: ts.Node): number =>
    source.getLineAndCharacterOfPosition(node.getStart()).line + 1;

  const point = (kind: PointKind, node: ts.Node, shown: string): number => {
    const id = firstId + points.length;
    const { character } = source.getLineAndCharacterOfPosition(node.getStart());
    const column = character + 1;
    points.push({ id, kind, file, within, line: lineOf(node), column, text: shown });
    return id;
  };

  const visitFunction = (node: ts.FunctionDeclaration): void => {
    if (node.body === undefined) return;
    within = node.name?.text ?? "";
    insert(node.body.getStart() + 1, ` __statement(${point("function", node, within)});`);
    visitChildren(node.body);
    within = "";
  };

  const visitStatement = (node: ts.Statement): void => {
    const braces = !ts.isBlock(node.parent) && !ts.isCaseOrDefaultClause(node.parent);
    const call = `__statement(${point("statement", node, firstLine(node))});`;
    insert(node.getStart(), braces ? `{ ${call} ` : `${call} `);
    visitChildren(node);
    if (braces) insert(node.getEnd(), " }");
  };

  const visitCase = (node: ts.CaseOrDefaultClause): void => {
    const label = ts.isDefaultClause(node) ? "default:" : `case ${node.expression.getText()}:`;
    const first = node.statements[0];
    // It falls through to the next one, whose statement counts.
    if (first === undefined) return;
    insert(first.getStart(), `__statement(${point("statement", node, label)}); `);
    visitChildren(node);
  };

  const visitDecision = (node: ts.Expression): void => {
    const conditions: number[] = [];
    const operators = new Set<"and" | "or">();
    const visitOperand = (operand: ts.Expression, negated: boolean): void => {
      const operator = logicalOperator(operand);
      if (ts.isParenthesizedExpression(operand)) visitOperand(operand.expression, negated);
      else if (isNot(operand)) visitOperand(operand.operand, !negated);
      else if (operator !== undefined) {
        const { left, right } = operand as ts.BinaryExpression;
        // By De Morgan, a negated && is an || of what is negated.
        operators.add((operator === "and") === negated ? "or" : "and");
        visitOperand(left, negated);
        visitOperand(right, negated);
      } else {
        const id = point("condition", operand, oneLine(operand));
        conditions.push(id);
        insert(operand.getStart(), `__condition(${id}, `);
        visit(operand);
        insert(operand.getEnd(), ")");
      }
    };
    visitOperand(node, false);
    const pure = operators.size < 2;
    decisions.push({ file, line: lineOf(node), text: oneLine(node), conditions, pure });
  };

  const visitChildren = (node: ts.Node): void => {
    const decision = decisionOf(node);
    ts.forEachChild(node, (child) => (child === decision ? visitDecision(decision) : visit(child)));
  };

  const visit = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node)) visitFunction(node);
    // What is outside of functions is constant.
    else if (within === "") visitChildren(node);
    else if (ts.isCaseOrDefaultClause(node)) visitCase(node);
    else if (isNot(node) || logicalOperator(node) !== undefined) {
      visitDecision(node as ts.Expression);
    } else if (ts.isStatement(node) && !ts.isBlock(node)) visitStatement(node);
    else visitChildren(node);
  };

  visit(source);
  if (points.length > 0) insert(0, 'import { __condition, __statement } from "./coverage"; ');
  return { text: withInsertions(text, insertions), points, decisions };
}

function withInsertions(
  text: string,
  insertions: readonly { readonly at: number; readonly text: string }[],
): string {
  // Insertions at one place stay in the order of the visit: outer ones begin first and end last.
  const sorted = insertions.toSorted((one, other) => one.at - other.at);
  let from = 0;
  const parts = sorted.flatMap((insertion) => {
    const before = text.slice(from, insertion.at);
    from = insertion.at;
    return [before, insertion.text];
  });
  return parts.join("") + text.slice(from);
}

/** The expression that decides where a statement or ?: goes on. */
function decisionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) {
    return node.expression;
  }
  return ts.isForStatement(node) || ts.isConditionalExpression(node) ? node.condition : undefined;
}

function isNot(node: ts.Node): node is ts.PrefixUnaryExpression {
  return ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken;
}

function logicalOperator(node: ts.Node): "and" | "or" | undefined {
  return ts.isBinaryExpression(node) ? logical.get(node.operatorToken.kind) : undefined;
}

function firstLine(node: ts.Node): string {
  return node.getText().split("\n", 1)[0] ?? "";
}

function oneLine(node: ts.Node): string {
  return node.getText().replaceAll(/\s+/g, " ");
}
