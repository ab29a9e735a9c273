import 'reflect-metadata';
import { Controller, Get, HttpCode, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { listen, slowMs } from './listen.mjs';

class Shop {
  health() {
    return 'ok';
  }
  user(id) {
    return { id };
  }
  order() {
    return 'created';
  }
  item(order, item) {
    return { order, item };
  }
  boom() {
    throw new Error('boom');
  }
  file() {
    return 'file';
  }
  async slow() {
    await new Promise((resolve) => setTimeout(resolve, slowMs));
    return 'slow';
  }
}

class Things {
  thing(id) {
    return { id };
  }
}

/** What decorators write, without a compiler for them. */
function decorate(type, method, decorators, parameters = []) {
  const property = Object.getOwnPropertyDescriptor(type.prototype, method);
  for (const decorator of decorators) decorator(type.prototype, method, property);
  for (const [n, name] of parameters.entries()) Param(name)(type.prototype, method, n);
}

decorate(Shop, 'health', [Get('health')]);
decorate(Shop, 'user', [Get('users/:id')], ['id']);
decorate(Shop, 'order', [Post('orders'), HttpCode(201)]);
decorate(Shop, 'item', [Get('orders/:order/items/:item')], ['order', 'item']);
decorate(Shop, 'boom', [Get('boom')]);
decorate(Shop, 'file', [Get('files/*path')]);
decorate(Shop, 'slow', [Get('slow')]);
Controller()(Shop);
decorate(Things, 'thing', [Get('things/:id')], ['id']);
Controller('api/v1')(Things);

class App {}
Module({ controllers: [Shop, Things] })(App);

const app = await NestFactory.create(App, { logger: false });
listen((port, host) => app.listen(port, host));
