package interop;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import java.util.stream.Stream;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

@Component
class RollcallInventory {
  @EventListener void declare(ApplicationReadyEvent ready) {
    var app = ready.getApplicationContext();
    var prefix = app.getEnvironment().getProperty("server.servlet.context-path", "");
    var mapping = app.getBean("requestMappingHandlerMapping", RequestMappingHandlerMapping.class);
    var routes = mapping.getHandlerMethods().keySet().stream().flatMap(info -> {
      var set = info.getMethodsCondition().getMethods();
      var methods = set.isEmpty() ? Stream.of("*") : set.stream().map(Enum::name);
      return methods.flatMap(m -> info.getPatternValues().stream().map(route -> m + " " + prefix + route));
    }).distinct().sorted().toList();
    GlobalOpenTelemetry.getTracer("rollcall").spanBuilder("rollcall.inventory")
        .setAttribute(AttributeKey.stringArrayKey("rollcall.routes"), routes).startSpan().end();
  }
}
