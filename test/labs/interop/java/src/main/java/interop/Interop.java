package interop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
public class Interop {
  public static void main(String[] args) {
    SpringApplication.run(Interop.class, args);
  }
}

@RestController
class Shop {
  @GetMapping("/health")
  String health() {
    return "ok";
  }

  @GetMapping("/users/{id}")
  String user(@PathVariable("id") String id) {
    return id;
  }

  @PostMapping("/orders")
  @ResponseStatus(HttpStatus.CREATED)
  String order() {
    return "created";
  }

  @GetMapping("/orders/{order}/items/{item}")
  String item(@PathVariable("order") String order, @PathVariable("item") String item) {
    return order + " " + item;
  }

  @GetMapping("/boom")
  String boom() {
    throw new IllegalStateException("boom");
  }

  @GetMapping("/files/{*path}")
  String file(@PathVariable("path") String path) {
    return path;
  }

  @GetMapping("/slow")
  String slow() throws InterruptedException {
    Thread.sleep(50);
    return "slow";
  }
}

@RestController
@RequestMapping("/api/v1")
class Things {
  @GetMapping("/things/{id}")
  String thing(@PathVariable("id") String id) {
    return id;
  }
}
