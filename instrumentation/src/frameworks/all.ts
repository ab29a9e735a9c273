import { express } from './express.ts';
import { fastify } from './fastify.ts';
import type { Framework } from './framework.ts';
import { hapi } from './hapi.ts';
import { hono } from './hono.ts';
import { koa } from './koa.ts';

/** Every framework that tells its routes; Nest is Express or Fastify. Plain node:http has none to tell. */
export const frameworks: readonly Framework[] = [express, fastify, koa, hapi, hono];
