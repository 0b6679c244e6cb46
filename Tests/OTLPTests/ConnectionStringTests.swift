import Testing

@testable import OTLP

/// Whom a connection string leads to.
@Suite struct ConnectionStringTests {
  private func host(_ text: String) -> String? {
    Array(text.utf8).withUnsafeBytes { bytes in
      ConnectionString.host(of: bytes).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// Scenario: connection strings as drivers of every kind write them.
  /// Guarantees: the host, without port, instance, service and who logs in.
  @Test(arguments: [
    ("postgresql://db7:5432/shop", "db7"), ("mysql://root:secret@db7/shop?x=y", "db7"),
    ("mongodb+srv://u:p@db7.example./shop", "db7.example"),
    ("redis://:secret@[fd00::5]:6379/0", "fd00::5"),
    ("jdbc:postgresql://db7/shop?user=a&password=secret", "db7"),
    ("jdbc:sqlserver://db7:1433;user=a;password=secret", "db7"),
    ("jdbc:sqlserver://db7\\shop:1433;x", "db7"),
    ("jdbc:sqlserver://;serverName=db7;user=a", "db7"),
    ("jdbc:h2:tcp://db7:9092/~/shop", "db7"), ("sqlserver://db7:1433", "db7"),
    ("jdbc:oracle:thin:a/secret@db7:1521:shop", "db7"), ("jdbc:oracle:thin:@db7:1521/shop", "db7"),
    ("jdbc:oracle:thin:@//db7:1521/shop", "db7"), ("oracle:thin:@tcps://db7:2484/shop?x=1", "db7"),
    ("oracle:thin://db7:1521", "db7"), ("jdbc:oracle:thin:@[fd00::5]:1521/shop", "fd00::5"),
    ("Server=tcp:db7,1433;Database=shop;User ID=a;Password=secret", "db7"),
    ("Data Source=db7\\shop;Integrated Security=true", "db7"),
    ("password='a;Server=secret'; host = db7 ;Port=5432", "db7"),
    ("Password=\"x\"\";Server=secret\";Address=\"db7\"", "db7"),
    ("User Id=a;Data Source=db7:1521/shop", "db7"), ("Network Address=fd00::5", "fd00::5"),
    ("amqp://guest:guest@mq1:5672/%2f", "mq1"), ("tibjmsnaming://mq1:7222", "mq1"),
  ]) func hosts(text: String, expected: String) {
    #expect(host(text) == expected)
  }

  /// Scenario: strings without a host, with several, with a file, and with passwords that look like the end
  /// of one.
  /// Guarantees: nothing; nothing of a password ever.
  @Test(arguments: [
    "", "=", ";;=;", "://", "jdbc:", "oracle:@", "h2:mem:shop", "jdbc:sqlite:/var/shop.db",
    "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST=db7)))", "Server=(localdb)\\v11.0", "Server=.",
    "Server=(local)", "Data Source=C:\\shop.db", "Data Source=/var/shop.db", "Host=", "Host=a,b",
    "mongodb://a:1,b:2/shop", "failover:(tcp://a:1,tcp://b:2)", "Data Source=:memory:",
    "mysql://root:se/cret@db7/shop", "mysql://root:se;cret@db7/shop", "mysql://root:12?34@db7",
    "mysql://root:secret", "Server='db7", "Server=np:\\\\db7\\pipe\\sql", "Password=\"a;Server=b",
    "Pwd=Server=db7",
  ]) func nobody(text: String) {
    #expect(host(text) == nil)
  }
}
